import picocolors from "picocolors";
import type { Screen } from "./io.ts";

export type Colors = ReturnType<typeof picocolors.createColors>;

/** Colours for a screen: none unless it is a terminal that shows them and NO_COLOR (no-color.org) is unset or empty. */
export function colorsFor(screen: Screen, env: Record<string, string | undefined>): Colors {
  return picocolors.createColors(screen.isTTY && !env.NO_COLOR && env.TERM !== "dumb");
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const COLOR_OR_CONTROL = /(\u001b\[[\d;]*m|\t)|\u001b(?:\[[\d;?]*[ -/]*[@-~])?|[\u0000-\u001f\u007f-\u009f]/g;

/** Text from a host or a file on one line: whatever would move the cursor is a space. */
export function oneLine(text: string): string {
  return text.replace(CONTROL, " ");
}

/** A line of a log: its colours stay where they are shown, nothing else may act on the terminal. */
export function logText(text: string, colorful: boolean): string {
  return text.replace(COLOR_OR_CONTROL, (_all, keep: string | undefined) =>
    keep === "\t" || (keep !== undefined && colorful) ? keep : "",
  );
}
