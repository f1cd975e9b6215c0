import { readPlainScalar } from "../yaml/plain-scalar.ts";

/** A document as it is written: what `undefined` stands beside is left out. */
export type Written = string | number | boolean | null | Written[] | { [key: string]: Written | undefined };

/** Two spaces, as in the documents and examples. */
const INDENT = "  ";

/** The longest list that stands on one line, in characters. */
const MAX_LINE_CHARS = 80;

/** Text that needs no quotes whatever its field: a word, a path, a number with a unit. */
const PLAIN = /^[A-Za-z0-9_/.](?:[A-Za-z0-9_/.,+=@%~ ()-]|:(?=[^ ]))*$/;

/** A comma would end an item of a list on one line, and a colon may make a mapping of it. */
const needsQuotesInLine = /^[^"].*[,:]/;

/** Keys that are longer stand on a line of their own behind a `?`. YAML reads at most 1024 characters as a key. */
const MAX_KEY_CHARS = 1000;

/** Text of several lines that YAML gives back as it was: nothing at its edges that a block would change. */
const BLOCK = /^[!-~\u00a1-\u02ff][ -~\u00a1-\u02ff\n]*$/;

/** YAML text of a mapping. Read again it gives the same mapping, in YAML 1.1 as in 1.2. */
export function writeYaml(document: { [key: string]: Written | undefined }): string {
  return `${writeMapping(document, "").join("\n")}\n`;
}

function writeMapping(mapping: { [key: string]: Written | undefined }, indent: string): string[] {
  return Object.entries(mapping).flatMap(([key, value]) => {
    if (value === undefined) return [];
    const name = writeText(key);
    const head = name.length > MAX_KEY_CHARS ? `${indent}? ${name}\n${indent}:` : `${indent}${name}:`;
    const inline = writeInline(value);
    if (inline !== null) return [`${head} ${inline}`];
    if (typeof value === "string") return [`${head} ${blockHeader(value)}`, ...blockLines(value, `${indent}${INDENT}`)];
    if (Array.isArray(value)) return [head, ...writeList(value, `${indent}${INDENT}`)];
    return [head, ...writeMapping(value as { [key: string]: Written }, `${indent}${INDENT}`)];
  });
}

function writeList(items: Written[], indent: string): string[] {
  return items.flatMap((item) => {
    const inline = writeInline(item);
    if (inline !== null) return [`${indent}- ${inline}`];
    if (typeof item === "string") return [`${indent}- ${blockHeader(item)}`, ...blockLines(item, `${indent}${INDENT}`)];
    const below = `${indent}${INDENT}`;
    const [first = "", ...rest] = Array.isArray(item)
      ? writeList(item, below)
      : writeMapping(item as { [key: string]: Written }, below);
    return [`${indent}- ${first.slice(below.length)}`, ...rest];
  });
}

/** @returns null for what needs lines of its own */
function writeInline(value: Written): string | null {
  if (typeof value === "string") return isBlock(value) ? null : writeText(value);
  if (typeof value === "number") return writeNumber(value);
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) {
    const items = value.map((item) => (typeof item === "object" && item !== null ? null : writeInline(item)));
    const line = `[${items.map((item) => (item !== null && needsQuotesInLine.test(item) ? `"${item}"` : item)).join(", ")}]`;
    return items.includes(null) || line.length > MAX_LINE_CHARS ? null : line;
  }
  return Object.values(value).every((item) => item === undefined) ? "{}" : null;
}

/** Digits enough for any fraction whose size means anything. */
const MAX_DIGITS = 100;

/** All digits and no exponent, which neither version of YAML reads as the other does, and no grammar of ours at all. */
export function writeNumber(value: number): string {
  const text = String(value);
  if (!text.includes("e")) return text;
  return Number.isInteger(value) ? String(BigInt(value)) : value.toFixed(MAX_DIGITS).replace(/0+$/, "");
}

function writeText(text: string): string {
  const isPlain = PLAIN.test(text) && !text.endsWith(" ") && readPlainScalar(text) === text;
  return isPlain ? text : quoteText(text);
}

/** As in JSON, with everything escaped that a reader of YAML may take for a line end or for nothing. */
function quoteText(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u00a0\u2028\u2029\ufeff\ufffe\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function isBlock(text: string): boolean {
  return text.includes("\n") && BLOCK.test(text) && !/[ \t](\n|$)|\n\n$/.test(text);
}

function blockHeader(text: string): string {
  return text.endsWith("\n") ? "|" : "|-";
}

function blockLines(text: string, indent: string): string[] {
  const lines = text.replace(/\n$/, "").split("\n");
  return lines.map((line) => (line === "" ? "" : `${indent}${line}`));
}
