import type { Finding } from "../finding.ts";
import { type Reference, readTemplate, writeReference } from "../grammar/interpolation.ts";
import { countArguments, fillArguments, fitsFilled } from "../grammar/run-arguments.ts";
import { MAX_FILLED_CHARS, MAX_GROUPS, MAX_PROBES } from "../limits.ts";
import { listWords, quote } from "../quote.ts";
import type { ParseOptions } from "../types.ts";
import type { Path } from "../yaml/node.ts";
import { checkAddresses } from "./addresses.ts";
import { atValue, groupsKey, groupsOf, hasCommands, isMapping, isSet, type Raw, type RawGroup } from "./raw.ts";

/** A text that may hold references, with its place. */
interface RawText {
  text: string;
  path: Path;
}

/**
 * References name something that is there. Which kinds may stand where is said by the schemas. Every probe is looked
 * at for every group it is asked of, so what is beyond the bounds, and refused for that, is not looked at.
 */
export function checkReferences(service: Raw, options: ParseOptions): Finding[] {
  const groups = ownGroups(service);
  if (groups.length > MAX_GROUPS) return [];
  const given = options.env ?? [];
  return [
    ...checkAddresses(groups),
    ...checkProbes(service, groups, given),
    ...checkRegistry(service, [...namesOf(service.env), ...given]),
    ...groups.flatMap((group) => checkArguments(group, service, options.args ?? [])),
  ];
}

/** Arguments that would go nowhere: whoever wrote them meant something by it. */
export function noteArguments(service: Raw, args: readonly string[]): Finding[] {
  if (args.length === 0 || ownGroups(service).some(({ raw }) => countArguments(commandsOf(raw)) > 0)) return [];
  const message = "No command has `${{ run.args }}`, so what was given behind `--` goes nowhere.";
  return [{ path: [], at: "value", message }];
}

function ownGroups(service: Raw): RawGroup[] {
  return groupsKey(service) === null ? [{ raw: service, path: [], index: 0 }] : groupsOf(service);
}

function commandsOf(group: Raw): string[] {
  return Array.isArray(group.commands) ? group.commands.filter((command) => typeof command === "string") : [];
}

/** What a probe of the service names is in every group that it is asked of. */
function checkProbes(service: Raw, groups: readonly RawGroup[], given: readonly string[]): Finding[] {
  const common = [...namesOf(service.env), ...given];
  const own = groups.filter(({ raw, path }) => path.length > 0 && isSet(raw, "probes"));
  const others = groups.filter((group) => !own.includes(group));
  return [
    ...others.flatMap(({ raw }) =>
      checkNames(probeTexts(service.probes, ["probes"]), [...common, ...namesOf(raw.env)]),
    ),
    ...own.flatMap(({ raw, path }) =>
      checkNames(probeTexts(raw.probes, [...path, "probes"]), [...common, ...namesOf(raw.env)]),
    ),
  ];
}

function checkRegistry(service: Raw, known: readonly string[]): Finding[] {
  const auth = service.registry_auth;
  if (!isMapping(auth)) return [];
  return checkNames(
    ["username", "password"].flatMap((key) => asText(auth[key], ["registry_auth", key])),
    known,
  );
}

/** With the arguments the commands are no longer than a shell takes, and where they are all there is, there are some. */
function checkArguments({ raw, path }: RawGroup, service: Raw, args: readonly string[]): Finding[] {
  if (!hasCommands(raw) || !Array.isArray(raw.commands)) return [];
  const texts = commandsOf(raw);
  const refuse = (message: string) => [atValue([...path, "commands"], message)];
  if (!fitsFilled(texts, args, MAX_FILLED_CHARS)) {
    return refuse(
      `With the arguments for \`\${{ run.args }}\` these commands have more than ${MAX_FILLED_CHARS} characters, which no shell takes; give fewer.`,
    );
  }
  const needsArguments = texts.length === raw.commands.length && fillArguments(texts, []).length === 0;
  if (args.length > 0 || !needsArguments || isSet(raw, "image") || isSet(service, "image")) return [];
  if (texts.every((text) => text.trim() === "")) return [];
  return refuse(
    "Nothing but `${{ run.args }}` would run, and no arguments were given; write them behind `--` on the command line.",
  );
}

function checkNames(texts: readonly RawText[], known: readonly string[]): Finding[] {
  const names = new Set(known);
  return texts.flatMap(({ text, path }) =>
    referencesIn(text).flatMap((reference) => {
      if (reference.kind !== "name" || reference.namespace !== "env" || names.has(reference.key)) return [];
      const shown = [...names].slice(0, MAX_NAMES).map(quote);
      const are = shown.length === 0 ? "there are none" : `there are ${listWords(shown)}`;
      const message = `${quote(writeReference(reference))} names no variable of \`env\`; ${are}.`;
      return [atValue(path, message)];
    }),
  );
}

/** So many variables are named by a message; nobody reads on. */
const MAX_NAMES = 12;

function probeTexts(probes: unknown, path: Path): RawText[] {
  if (!Array.isArray(probes)) return [];
  return probes.slice(0, MAX_PROBES).flatMap((probe, index) => {
    if (!isMapping(probe)) return [];
    const at = [...path, index];
    const headers = Array.isArray(probe.headers) ? probe.headers : [];
    return [
      ...asText(probe.url, [...at, "url"]),
      ...asText(probe.body, [...at, "body"]),
      ...headers.flatMap((header, number) =>
        isMapping(header) ? asText(header.value, [...at, "headers", number, "value"]) : [],
      ),
    ];
  });
}

function asText(written: unknown, path: Path): RawText[] {
  return typeof written === "string" ? [{ text: written, path }] : [];
}

function referencesIn(text: string): Reference[] {
  const read = readTemplate(text);
  return read.ok ? read.value.filter((part) => typeof part !== "string") : [];
}

/** The variables of `env` in either form. */
function namesOf(env: unknown): string[] {
  if (Array.isArray(env)) return env.flatMap((item) => (typeof item === "string" ? [item.split("=")[0]!] : []));
  return isMapping(env) ? Object.keys(env) : [];
}
