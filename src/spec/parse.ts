import { MAX_ISSUES, MAX_SPEC_CHARS } from "./limits.ts";
import { locate } from "./locate.ts";
import { profileNotes, readProfile, withProfile } from "./profiles.ts";
import { explainType, isKind, type ReadKind, readKind } from "./read-kind.ts";
import { isMapping } from "./rules/raw.ts";
import { isLargerThan } from "./size.ts";
import type { ParsedConfig, ParseOptions } from "./types.ts";
import { toValue } from "./yaml/node.ts";
import { OddScalar } from "./yaml/plain-scalar.ts";
import { readYaml } from "./yaml/read.ts";

/** Some editors put it first; it is no text and would shift the columns of the first line. */
const BYTE_ORDER_MARK = /^\uFEFF/;

/**
 * Reads one configuration file. Never throws: whatever the text, the answer is the spec with every default filled in,
 * or everything that is wrong with the text (at most `MAX_ISSUES`), in the order of the file.
 *
 * @param text the file's content
 * @param file its name, for messages about the file as a whole
 * @param options what whoever applies it adds
 */
export function parseConfig(text: string, file: string, options: ParseOptions = {}): ParsedConfig {
  const yaml = readYaml(text.replace(BYTE_ORDER_MARK, ""), file);
  if (!yaml.ok) {
    return { ok: false, type: null, issues: yaml.problems.map(({ at, message }) => ({ ...at, path: "", message })) };
  }
  const { root } = yaml;
  const value = toValue(root);
  if (!isMapping(value)) {
    const message = "The document is not a mapping; a configuration consists of lines such as `type: service`.";
    return { ok: false, type: null, issues: locate([{ path: [], at: "value", message }], root) };
  }
  const type = writtenType(value.type);
  // A document without a type is told what a service lacks, the type among it.
  const kind = type ?? "service";
  if (!isKind(kind)) {
    return { ok: false, type, issues: locate([{ path: ["type"], at: "value", message: explainType(kind) }], root) };
  }
  const profile = readProfile(options.profiles, kind);
  const filled = profile.ok ? withProfile(kind, value, profile.parameters) : value;
  const read = withinSize(readKind(kind, { written: value, filled, root }, options));
  if (!read.ok || !profile.ok) {
    const issues = [...(read.ok ? [] : locate(read.findings, root)), ...(profile.ok ? [] : profile.issues)];
    return { ok: false, type, issues: issues.slice(0, MAX_ISSUES) };
  }
  const notes = [...locate(read.notes, root), ...profileNotes(kind, value, profile.notes)];
  return { ...read.described, ok: true, notes, issues: [] };
}

function withinSize(read: ReadKind): ReadKind {
  if (!read.ok || !isLargerThan(read.described.spec, MAX_SPEC_CHARS)) return read;
  const message = `With what holds for all of them in each, its parts come to more than ${MAX_SPEC_CHARS} characters; write less, or write it into the parts that need it.`;
  return { ok: false, findings: [{ path: [], at: "value", message }] };
}

function writtenType(written: unknown): string | null {
  if (written instanceof OddScalar) return written.text;
  return typeof written === "string" ? written : null;
}
