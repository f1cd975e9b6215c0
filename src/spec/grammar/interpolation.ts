import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";

/** What stands between `${{` and `}}`. */
export type Reference =
  /** `${{ namespace.key }}` */
  | { kind: "name"; namespace: string; key: string }
  /** `${{ groups[group].replicas[replica].IP_ADDRESS }}`: where a replica of another group runs. */
  | { kind: "address"; group: number; replica: number };

/** A text as its pieces: what stands for itself, and what is filled in. */
export type TemplatePart = string | Reference;

const OPENING = "${{";
const CLOSING = "}}";

/** The longest reference that a message repeats. */
const MAX_REFERENCE_CHARS = 80;

const NAME = /^([A-Za-z_]\w*)\.([A-Za-z_]\w*)$/;
const ADDRESS = /^groups\[(\d{1,4})\]\.replicas\[(\d{1,5})\]\.IP_ADDRESS$/;

/**
 * Cuts a text at its references. `$$` stands for one `$`, so that `$${{ x }}` is the text `${{ x }}`; any other `$` is
 * the shell's business and stays. (The rules of dstack 0.22.5; a shell's process number is therefore written `$$$$`.)
 */
export function readTemplate(text: string): Result<TemplatePart[]> {
  const parts: TemplatePart[] = [];
  let plain = "";
  let at = 0;
  while (at < text.length) {
    const dollar = text.indexOf("$", at);
    if (dollar === -1) break;
    plain += text.slice(at, dollar);
    if (text.startsWith("$$", dollar)) {
      plain += "$";
      at = dollar + 2;
    } else if (text.startsWith(OPENING, dollar)) {
      const end = text.indexOf(CLOSING, dollar);
      if (end === -1) return bad(`A \`${OPENING}\` is not closed; for a variable of the shell write \`$NAME\`.`);
      const reference = readReference(text.slice(dollar + OPENING.length, end));
      if (!reference.ok) return reference;
      if (plain !== "") parts.push(plain);
      parts.push(reference.value);
      plain = "";
      at = end + CLOSING.length;
    } else {
      plain += "$";
      at = dollar + 1;
    }
  }
  plain += text.slice(at);
  if (plain !== "") parts.push(plain);
  return good(parts);
}

function readReference(written: string): Result<Reference> {
  const inside = written.trim();
  const address = ADDRESS.exec(inside);
  if (address) return good({ kind: "address", group: Number(address[1]), replica: Number(address[2]) });
  const name = NAME.exec(inside);
  if (name) return good({ kind: "name", namespace: name[1]!, key: name[2]! });
  return bad(
    `${quote(inside.slice(0, MAX_REFERENCE_CHARS))} is no reference; write a namespace and a name, for example \`${OPENING} secrets.HF_TOKEN ${CLOSING}\`.`,
  );
}

/**
 * The text with every reference filled in.
 * @param text one that `readTemplate` has accepted
 * @throws Error for a text that it would not
 */
export function interpolate(text: string, fill: (reference: Reference) => string): string {
  // Nearly every text has none.
  if (!text.includes("$")) return text;
  return templateParts(text)
    .map((part) => (typeof part === "string" ? part : fill(part)))
    .join("");
}

/** The references of a text that `readTemplate` has accepted. */
export function referencesOf(text: string): Reference[] {
  return templateParts(text).filter((part) => typeof part !== "string");
}

/** Writes a text so that `interpolate` gives it back. */
export function escapeTemplate(text: string): string {
  return text.replaceAll("$", "$$$$");
}

/** A reference as it is written. */
export function writeReference(reference: Reference): string {
  const inside =
    reference.kind === "name"
      ? `${reference.namespace}.${reference.key}`
      : `groups[${reference.group}].replicas[${reference.replica}].IP_ADDRESS`;
  return `${OPENING} ${inside} ${CLOSING}`;
}

/** A text that `readTemplate` has accepted, as its pieces. @throws Error for one that it would not */
export function templateParts(text: string): TemplatePart[] {
  const read = readTemplate(text);
  if (!read.ok) throw new Error(`an unreadable template was kept: ${read.problem}`);
  return read.value;
}

/** Where a text stands decides which references it may hold. */
export type TemplatePlace = "command" | "env" | "probe" | "registry" | "volume";

const fromSecrets = `\`${OPENING} secrets.NAME ${CLOSING}\``;
const fromEnv = `\`${OPENING} env.NAME ${CLOSING}\``;

/** In each place the words before the dot, and how the references that may stand there are written. */
const places: Record<TemplatePlace, { allowed: Record<string, string[] | null>; forms: string }> = {
  command: {
    allowed: { run: ["args"] },
    forms: `\`${OPENING} run.args ${CLOSING}\` and \`${OPENING} groups[0].replicas[0].IP_ADDRESS ${CLOSING}\``,
  },
  env: { allowed: { secrets: null }, forms: fromSecrets },
  probe: { allowed: { env: null }, forms: fromEnv },
  registry: { allowed: { env: null, secrets: null }, forms: `${fromEnv} and ${fromSecrets}` },
  volume: {
    allowed: { dstack: ["node_rank", "job_num"] },
    forms: `\`${OPENING} dstack.node_rank ${CLOSING}\` and \`${OPENING} dstack.job_num ${CLOSING}\``,
  },
};

/** Cuts a text at its references, each of which may stand in such a place. What they name is looked up elsewhere. */
export function readReferences(text: string, place: TemplatePlace): Result<TemplatePart[]> {
  const read = readTemplate(text);
  if (!read.ok) return read;
  for (const part of read.value) {
    if (typeof part === "string" || mayStand(part, place)) continue;
    return bad(`${quote(writeReference(part))} cannot stand here; ${adviceFor(part, place)}`);
  }
  return read;
}

/** The text as it was written, if its references may stand in such a place. */
export function readTemplateFor(place: TemplatePlace): (text: string) => Result<string> {
  return (text) => {
    const read = readReferences(text, place);
    return read.ok ? good(text) : read;
  };
}

function mayStand(reference: Reference, place: TemplatePlace): boolean {
  if (reference.kind === "address") return place === "command";
  const { allowed } = places[place];
  if (!Object.hasOwn(allowed, reference.namespace)) return false;
  return allowed[reference.namespace]?.includes(reference.key) ?? true;
}

function adviceFor(reference: Reference, place: TemplatePlace): string {
  if (place === "command" && reference.kind === "name") {
    const { namespace, key } = reference;
    if (namespace === "secrets") {
      return `put it into \`env\`, for example \`${key}: ${writeReference(reference)}\`, and write \`$${key}\` in the command.`;
    }
    if (namespace === "env") return `commands reach the variables of \`env\` as the shell does; write \`$${key}\`.`;
  }
  if (place === "env" && reference.kind === "address") {
    return `an address can be named in commands alone; write \`export NAME=${writeReference(reference)}\` as a command.`;
  }
  return `${places[place].forms} can.`;
}
