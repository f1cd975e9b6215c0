import picocolors from "picocolors";
import type { Screen } from "./io.ts";

export type Colors = ReturnType<typeof picocolors.createColors>;

/** Colours for a screen: none unless it is a terminal that shows them and NO_COLOR (no-color.org) is unset or empty. */
export function colorsFor(screen: Screen, env: Record<string, string | undefined>): Colors {
  return picocolors.createColors(screen.isTTY && !env.NO_COLOR && env.TERM !== "dumb");
}

/**
 * What may act on a terminal or on the order in which it shows text: control characters of both sets, line separators,
 * and the marks that turn the direction of writing for what follows.
 */
const ACTS = "\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069";
const ACTING = new RegExp(`[${ACTS}]`, "g");
const COLOR_OR_ACTING = new RegExp(`(\\u001b\\[[\\d;]*m|\\t)|\\u001b(?:\\[[\\d;?]*[ -/]*[@-~])?|[${ACTS}]`, "g");

/** Text from a host or a file on one line: whatever would move the cursor is a space. */
export function oneLine(text: string): string {
  return text.replace(ACTING, " ");
}

/** Text of several lines from a server: its line ends stay, nothing else may act on the terminal. */
export function severalLines(text: string): string {
  return text.split("\n").map(oneLine).join("\n");
}

/** A line of a log: its colours stay where they are shown, nothing else may act on the terminal. */
export function logText(text: string, colorful: boolean): string {
  return text.replace(COLOR_OR_ACTING, (_all, keep: string | undefined) =>
    keep === "\t" || (keep !== undefined && colorful) ? keep : "",
  );
}

/** JSON that is safe to look at: what JSON itself leaves as it is, and a terminal acts on, is escaped. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value).replace(
    ACTING,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
