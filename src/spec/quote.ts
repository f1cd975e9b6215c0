import { MAX_QUOTED_CHARS } from "./limits.ts";

/** Text of the user's file as messages show it: in backticks, on one line and cut when long. */
export function quote(text: string | number | boolean): string {
  const line = String(text).replace(/\s+/g, " ").trim();
  const cut = line.length > MAX_QUOTED_CHARS ? `${line.slice(0, MAX_QUOTED_CHARS - 3)}...` : line;
  return `\`${cut.replaceAll("`", "'")}\``;
}

/** A value as it could be written in YAML on one line; for the examples in messages. */
export function writeValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(writeValue).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, item]) => `${key}: ${writeValue(item)}`);
    return `{${entries.join(", ")}}`;
  }
  if (typeof value === "string") return /^[a-zA-Z/][\w./=-]*( [\w./=-]+)*$/.test(value) ? value : JSON.stringify(value);
  return String(value);
}

/** `a`, `a or b`, `a, b or c`. */
export function listWords(words: readonly string[]): string {
  if (words.length <= 1) return words.join("");
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
