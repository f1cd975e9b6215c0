import { explainIssues } from "./explain.ts";
import type { Finding } from "./finding.ts";
import { locate } from "./locate.ts";
import { noteFields } from "./notes.ts";
import { quote } from "./quote.ts";
import { atKey, atValue, isMapping, isSet, type Raw } from "./rules/raw.ts";
import { readFlag } from "./schema/fields.ts";
import { cloudFields } from "./schema/fleet.ts";
import { noSchedule, profileFields } from "./schema/profile.ts";
import { profile, profilesFile } from "./schema/profiles-file.ts";
import { nearest } from "./suggest.ts";
import type { Described, ParseOptions, SpecIssue } from "./types.ts";
import { type Node, nodeAt, toValue } from "./yaml/node.ts";
import { readYaml } from "./yaml/read.ts";

export type ReadProfile = { ok: true; parameters: Raw; notes: ProfileNote[] } | { ok: false; issues: SpecIssue[] };

/** What is to be said of a parameter that does not act yet. */
interface ProfileNote {
  parameter: string;
  issue: SpecIssue;
}

const nothing: ReadProfile = { ok: true, parameters: {}, notes: [] };

/**
 * Reads a file of profiles and picks one. Never throws; issues and notes name the file and places in it. Every profile
 * must be valid, also those that are not used.
 * @param kind what it is for
 */
export function readProfile(given: ParseOptions["profiles"], kind: Described["type"]): ReadProfile {
  if (given === undefined) return nothing;
  const { text, file, name } = given;
  const refuse = (issues: SpecIssue[]): ReadProfile => ({
    ok: false,
    issues: issues.map((issue) => ({ ...issue, file })),
  });
  const yaml = readYaml(text, file);
  if (!yaml.ok) return refuse(yaml.problems.map(({ at, message }) => ({ ...at, path: "", message })));
  const { root } = yaml;
  const value = toValue(root);
  if (!isMapping(value))
    return refuse(locate([atValue([], "A file of profiles is a mapping with the list `profiles`.")], root));
  const profiles = profilesOf(value);
  const read = profilesFile.safeParse(value);
  const findings = [...checkNames(profiles), ...checkDefaults(profiles)];
  if (!read.success) findings.push(...explainIssues(read.error.issues, root, profilesFile));
  if (findings.length > 0) return refuse(locate(findings, root));

  const index =
    name === null ? profiles.findIndex(isDefault) : profiles.findIndex((each) => String(each.name) === name);
  if (index === -1) {
    if (name === null) return nothing;
    return refuse(locate([explainUnknown(name, profiles)], root));
  }
  const chosen = profiles[index]!;
  if (kind === "service" && isSet(chosen, "schedule")) {
    // In a file of profiles a schedule may be meant for tasks.
    return refuse(locate([atKey(["profiles", index, "schedule"], `${noSchedule}.`)], root));
  }
  return { ok: true, parameters: parametersOf(chosen), notes: notesOf(root, index, file) };
}

function profilesOf(value: Raw): Raw[] {
  return Array.isArray(value.profiles) ? value.profiles.map((each) => (isMapping(each) ? each : {})) : [];
}

function checkNames(profiles: readonly Raw[]): Finding[] {
  const names = profiles.map(({ name }) => name);
  return names.flatMap((name, index) => {
    const first = names.indexOf(name);
    if (typeof name !== "string" || first === index) return [];
    return [
      atValue(["profiles", index, "name"], `profiles[${first}] is named ${quote(name)} too; rename one of them.`),
    ];
  });
}

function checkDefaults(profiles: readonly Raw[]): Finding[] {
  const first = profiles.findIndex(isDefault);
  return profiles.flatMap((each, index) => {
    if (!isDefault(each) || index === first) return [];
    return [atKey(["profiles", index, "default"], `profiles[${first}] is the default already; keep one of them.`)];
  });
}

function isDefault(written: Raw): boolean {
  return readFlag(written.default) === true;
}

function explainUnknown(name: string, profiles: readonly Raw[]): Finding {
  const names = profiles.map((each) => String(each.name));
  const meant = nearest(name, names);
  const known = names.length === 0 ? "there are none" : `there are ${names.map(quote).join(", ")}`;
  return atKey(
    ["profiles"],
    `There is no profile ${quote(name)}; ${meant === null ? `${known}.` : `did you mean ${quote(meant)}?`}`,
  );
}

function parametersOf({ name: _name, default: _default, ...parameters }: Raw): Raw {
  return Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== null));
}

function notesOf(root: Node, index: number, file: string): ProfileNote[] {
  const at = ["profiles", index];
  const node = nodeAt(root, at);
  if (node === null) return [];
  return noteFields(node, profile).flatMap((finding) => {
    const [issue] = locate([{ ...finding, path: [...at, ...finding.path] }], root);
    return issue === undefined ? [] : [{ parameter: String(finding.path[0]), issue: { ...issue, file } }];
  });
}

/** The parameters that a configuration says nothing of as the profile says them. */
export function withProfile(kind: Described["type"], configuration: Raw, parameters: Raw): Raw {
  const taken = fieldsOf(kind, configuration);
  const missing = Object.entries(parameters).filter(([key]) => taken.includes(key) && !isSet(configuration, key));
  return { ...configuration, ...Object.fromEntries(missing) };
}

/** What a configuration takes from a profile; a fleet of existing hosts has nothing that could be chosen. */
function fieldsOf(kind: Described["type"], configuration: Raw): string[] {
  if (kind === "service") return Object.keys(profileFields);
  return kind === "fleet" && isSet(configuration, "nodes") ? Object.keys(cloudFields) : [];
}

/** What is to be said of the parameters that a service has from its profile. */
export function profileNotes(kind: Described["type"], configuration: Raw, notes: readonly ProfileNote[]): SpecIssue[] {
  if (kind !== "service") return [];
  return notes.filter(({ parameter }) => !isSet(configuration, parameter)).map(({ issue }) => issue);
}
