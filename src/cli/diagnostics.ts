import type { SpecIssue } from "../spec/types.ts";
import type { Colors } from "./style.ts";
import { oneLine } from "./style.ts";

/** Columns of source shown around a problem: a minified line fits on a screen. */
const SHOWN_BEFORE = 60;
const SHOWN_AFTER = 40;

/** A file whose text issues are about. */
export interface Source {
  file: string;
  text: string;
}

/**
 * What is wrong in a file, with the line it is on and a caret under the place.
 * @param profiles the file of profiles, which some issues may be about
 */
export function showIssue({ file, text }: Source, issue: SpecIssue, colors: Colors, profiles?: Source): string {
  if (issue.file !== undefined && issue.file !== file) {
    const { file: other, ...rest } = issue;
    return showIssue({ file: other, text: profiles?.text ?? "" }, rest, colors);
  }
  const place = colors.bold(`${file}:${issue.line}:${issue.column}:`);
  const path = issue.path === "" ? "" : ` ${issue.path}:`;
  const head = `${place}${path} ${oneLine(issue.message)}`;
  const source = text.split("\n")[issue.line - 1];
  if (source === undefined || source.trim() === "") return head;
  const at = issue.column - 1;
  const from = Math.max(0, at - SHOWN_BEFORE);
  // A tab takes one column, so that the caret stands where it belongs whatever the terminal's stops are.
  const shown = oneLine(source.slice(from, at + SHOWN_AFTER));
  const number = String(issue.line);
  const margin = " ".repeat(number.length);
  return [head, `  ${number} | ${shown}`, `  ${margin} | ${" ".repeat(at - from)}${colors.red("^")}`].join("\n");
}
