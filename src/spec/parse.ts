import { explainIssues } from "./explain.ts";
import { fillService } from "./fill.ts";
import type { Finding } from "./finding.ts";
import { MAX_ISSUES } from "./limits.ts";
import { noteFields } from "./notes.ts";
import { quote } from "./quote.ts";
import { checkService } from "./rules/index.ts";
import { isMapping } from "./rules/raw.ts";
import { service } from "./schema/service.ts";
import { nearest } from "./suggest.ts";
import type { ParsedConfig, ParseOptions, SpecIssue } from "./types.ts";
import { formatPath, type Node, positionOf, toValue } from "./yaml/node.ts";
import { OddScalar } from "./yaml/plain-scalar.ts";
import { readYaml } from "./yaml/read.ts";

/** Types of the language that this version does not have. */
const otherTypes = ["task", "dev-environment", "fleet", "gateway", "volume", "preset"];

const types = ["service", ...otherTypes];

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
  if (type !== null && type !== "service") {
    return {
      ok: false,
      type,
      issues: locate([{ path: ["type"], at: "value", message: explainOtherType(type) }], root),
    };
  }

  const read = service.safeParse(value);
  const findings = checkService(value, options);
  if (!read.success) findings.push(...explainIssues(read.error.issues, root, service));
  if (read.success && findings.length === 0)
    return {
      ok: true,
      type: "service",
      spec: fillService(read.data, options),
      notes: locate(noteFields(root, service), root),
      issues: [],
    };
  return { ok: false, type, issues: locate(findings, root) };
}

function writtenType(written: unknown): string | null {
  if (written instanceof OddScalar) return written.text;
  return typeof written === "string" ? written : null;
}

function explainOtherType(type: string): string {
  if (otherTypes.includes(type))
    return `The type ${quote(type)} is known but not supported yet; only \`type: service\` is.`;
  const meant = nearest(type, types);
  return `${quote(type)} is no type of configuration; ${meant === null ? "write `type: service`." : `did you mean \`${meant}\`?`}`;
}

/** Findings with their places, in the order of the file, each said once. */
function locate(findings: readonly Finding[], root: Node): SpecIssue[] {
  const issues = findings.map(({ path, at, message }) => {
    return { ...positionOf(root, path, at), path: formatPath(path), message };
  });
  const inOrder = issues.toSorted((a, b) => a.line - b.line || a.column - b.column);
  const seen = new Set<string>();
  const distinct = inOrder.filter(({ line, column, path, message }) => {
    const key = JSON.stringify([line, column, path, message]);
    return seen.has(key) ? false : seen.add(key);
  });
  return distinct.slice(0, MAX_ISSUES);
}
