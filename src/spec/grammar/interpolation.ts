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
  return partsOf(text)
    .map((part) => (typeof part === "string" ? part : fill(part)))
    .join("");
}

/** The references of a text that `readTemplate` has accepted. */
export function referencesOf(text: string): Reference[] {
  return partsOf(text).filter((part) => typeof part !== "string");
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

function partsOf(text: string): TemplatePart[] {
  const read = readTemplate(text);
  if (!read.ok) throw new Error(`an unreadable template was kept: ${read.problem}`);
  return read.value;
}

/** References such as `${{ secrets.X }}` are not filled in yet; left as they are they would reach the shell as nonsense. */
export function refuseReferences(text: string): Result<string> {
  const read = readTemplate(text);
  if (!read.ok) return read;
  const reference = read.value.find((part) => typeof part !== "string");
  if (reference === undefined) return good(text);
  return bad(
    `The reference \`${writeReference(reference)}\` is known but not supported yet; remove it. A variable listed by its name alone in \`env\` (\`- NAME\`) is passed on, and commands reach it as \`$NAME\`.`,
  );
}
