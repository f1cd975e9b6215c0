import type * as z from "zod";
import type { Finding } from "./finding.ts";
import { MAX_ISSUES } from "./limits.ts";
import { withoutMisspelt } from "./misspelt.ts";
import { explainOdd } from "./odd.ts";
import { listWords, quote, writeValue } from "./quote.ts";
import type { FieldMeta } from "./schema/fields.ts";
import { placeAt } from "./schema/walk.ts";
import { nearest } from "./suggest.ts";
import { explainUnknownKey } from "./unknown-key.ts";
import { type Node, nodeAt, type Path } from "./yaml/node.ts";
import { OddScalar } from "./yaml/plain-scalar.ts";

type Issue = z.core.$ZodIssue;

/** Zod's issues about a document as findings for people: what was found, what is wrong, what to write instead. */
export function explainIssues(issues: readonly Issue[], root: Node, schema: z.core.$ZodType): Finding[] {
  return withoutMisspelt(issues.slice(0, MAX_ISSUES), [], root).flatMap((issue) =>
    explainIssue(issue, [], root, schema),
  );
}

function explainIssue(issue: Issue, parent: Path, root: Node, schema: z.core.$ZodType): Finding[] {
  const path = [...parent, ...(issue.path as (string | number)[])];
  const value = (message: string): Finding[] => [{ path, at: "value", message }];
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.slice(0, MAX_ISSUES).map((key) => ({
        path: [...path, key],
        at: "key",
        message: explainUnknownKey(key, placeAt(schema, path).mappings),
      }));
    case "invalid_union": {
      const meant = meantBranch(issue, path, root);
      if (meant === null) return value(explainType(expectedTypes(issue), path, root, schema));
      return meant.flatMap((inner) => explainIssue(inner, path, root, schema));
    }
    case "invalid_type":
      return value(explainType(expectedTypes(issue), path, root, schema));
    case "invalid_value":
      return value(explainChoice(issue.values.map(String), path, root, schema));
    default:
      return value(issue.message);
  }
}

/** The alternative that the writer had in mind: one whose outermost type fits; of several the one with least wrong. */
function meantBranch(issue: z.core.$ZodIssueInvalidUnion, path: Path, root: Node): readonly Issue[] | null {
  const fitting = issue.errors
    .filter((branch) => !branch.some((inner) => isWrongType(inner, path, root)))
    .map((branch) => withoutMisspelt(branch, path, root));
  return fitting.toSorted((a, b) => a.length - b.length)[0] ?? null;
}

function isWrongType(issue: Issue, path: Path, root: Node): boolean {
  if (issue.path.length > 0) return false;
  return issue.code === "invalid_type" || (issue.code === "invalid_union" && meantBranch(issue, path, root) === null);
}

const typeWords: Record<string, string> = {
  string: "text",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  tuple: "a list",
  object: "a mapping",
  record: "a mapping",
};

const scalarTypes = ["text", "a number", "true or false"];

function expectedTypes(issue: Issue): string[] {
  if (issue.code === "invalid_union") return [...new Set(issue.errors.flat().flatMap(expectedTypes))];
  return issue.code === "invalid_type" ? [typeWords[issue.expected] ?? issue.expected] : [];
}

function explainType(expected: string[], path: Path, root: Node, schema: z.core.$ZodType): string {
  const node = nodeAt(root, path);
  const key = String(path.at(-1) ?? "");
  const meta = metaAt(schema, path);
  const example = exampleOf(path, meta.examples);
  if (node === null) {
    const why =
      meta.description === undefined ? "" : `: ${meta.description.charAt(0).toLowerCase()}${meta.description.slice(1)}`;
    return `\`${key}\` is missing${why}${example}.`;
  }
  const wanted = listWords(expected);
  if (node.kind !== "scalar") {
    const found = node.kind === "list" ? "a list" : "a mapping";
    const hint =
      node.kind === "map" && expected.includes("text")
        ? "; a `: ` in unquoted text makes a mapping, quotes prevent it"
        : "";
    return `Found ${found} where ${wanted} belongs${hint}${example}.`;
  }
  if (isSecret(path)) return explainSecret(node.value, path, wanted, example);
  if (node.value === null) return `Found nothing where ${wanted} belongs${example}.`;
  const onlyText = expected.filter((type) => scalarTypes.includes(type)).join() === "text";
  const isMisplacedFlag = node.value instanceof OddScalar && node.value.boolean11 !== null && !onlyText;
  if (node.value instanceof OddScalar && !isMisplacedFlag && expected.some((type) => scalarTypes.includes(type))) {
    return explainOdd(node.value, onlyText, wanted, example);
  }
  const written = node.value instanceof OddScalar ? node.value.text : node.value;
  if (typeof node.value === "boolean" && onlyText) {
    return `Found the boolean ${quote(node.value)} where text belongs; write \`"${node.value}"\` in quotes if it is meant.`;
  }
  return `Found ${quote(written)} where ${wanted} belongs${example}.`;
}

/** Values of variables and headers are not repeated: one of them may be a key. */
function isSecret(path: Path): boolean {
  return path.includes("env") || path.includes("headers") || path.includes("registry_auth");
}

function explainSecret(value: unknown, path: Path, wanted: string, example: string): string {
  const name = path.at(-1);
  if (value === null && path.at(-2) === "env" && typeof name === "string") {
    return `\`${name}\` has no value; write \`${name}: ""\` if it shall be empty, or use the list form (\`- ${name}\`) to pass it on.`;
  }
  // A date, and a word that YAML 1.1 takes for true or false, is nobody's key.
  if (value instanceof OddScalar && (value.boolean11 !== null || value.yaml11.kind === "date")) {
    return explainOdd(value, wanted === "text", wanted, example);
  }
  if (value === null || wanted !== "text")
    return `Found ${value === null ? "nothing" : "a single value"} where ${wanted} belongs${example}.`;
  return "Without quotes YAML does not read this value as the text that it looks like; put it in quotes.";
}

function explainChoice(choices: string[], path: Path, root: Node, schema: z.core.$ZodType): string {
  const node = nodeAt(root, path);
  const meta = metaAt(schema, path);
  if (node === null) return explainType(["text"], path, root, schema);
  if (node.kind !== "scalar" || node.value === null) return explainType(["text"], path, root, schema);
  const written = node.value instanceof OddScalar ? node.value.text : String(node.value);
  const meant = nearest(written, choices);
  const advice = meant === null ? exampleOf(path, meta.examples) : `; did you mean \`${meant}\`?`;
  const end = meant === null ? "." : "";
  return `${quote(written)} is not ${choices.length === 1 ? "" : "one of "}${listWords(choices.map(quote))}${advice}${end}`;
}

/** What the schema says about a place, or for an item of a list about the list. */
function metaAt(schema: z.core.$ZodType, path: Path): Partial<FieldMeta> {
  const { meta } = placeAt(schema, path);
  const isItem = typeof path.at(-1) === "number" && meta.examples === undefined;
  return isItem ? placeAt(schema, path.slice(0, -1)).meta : meta;
}

function exampleOf(path: Path, examples: unknown[] | undefined): string {
  const key = path.findLast((step) => typeof step === "string");
  const [example] = examples ?? [];
  return example === undefined || key === undefined ? "" : `; write for example \`${key}: ${writeValue(example)}\``;
}
