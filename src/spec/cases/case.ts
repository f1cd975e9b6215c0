import { parseConfig } from "../parse.ts";
import type { ParseOptions, SpecIssue } from "../types.ts";

/**
 * Cases of one part of the language. A text that begins with `type:` is a whole file. Another one stands below a
 * service's least lines, which are lines 1 to 3: its own first line is line 4. Where it has nothing to run, a command
 * stands at its end.
 */
export interface Suite {
  /** A text, a path of what is parsed (`groups.0.port`; empty for all of it), and the value there; of a mapping the parts that matter. */
  means: [text: string, path: string, value: unknown][];
  /** A text, the line that is pointed at, and words that its only message has. */
  refused: [text: string, line: number, ...words: string[]][];
  /** A text and its notes, whole: `line path: message`. */
  notes?: [text: string, ...notes: string[]][];
}

const head = "type: service\nname: demo\nport: 8000\n";

const somethingToRun = /^(image|commands|groups):|^replicas: *(\[|\n)/m;

function fileOf(text: string): string {
  if (text.startsWith("type:")) return text;
  return `${head}${text}\n${somethingToRun.test(text) ? "" : "commands: [run]\n"}`;
}

/** Arguments and variables as a command line gives them; arguments only where a case has a place for them. */
function optionsFor(text: string): ParseOptions {
  return { args: text.includes("run.args") ? ["--tp", "8 9", "it's", "$HOME"] : [], env: ["GIVEN"] };
}

/** @param path `$notes` are the notes */
export function parsed(text: string, path: string): unknown {
  const config = parseConfig(fileOf(text), "case.yml", optionsFor(text));
  if (!config.ok) throw new Error(config.issues.map(({ line, message }) => `line ${line}: ${message}`).join("\n"));
  if (path === "$notes") return config.notes.map((note) => `${note.line} ${note.path}: ${note.message}`);
  if (path === "") return config.spec;
  return path.split(".").reduce<unknown>((value, step) => (value as Record<string, unknown>)[step], config.spec);
}

export function refusal(text: string): SpecIssue[] {
  return parseConfig(fileOf(text), "case.yml", optionsFor(text)).issues;
}
