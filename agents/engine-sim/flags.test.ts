import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Flag, helpText, OWN_FLAGS, SGLANG_FLAGS } from "./flags.ts";
import { readSettings } from "./settings.ts";

const page = readFileSync(join(import.meta.dirname, "..", "..", "docs", "engine-sim.md"), "utf8");

/** What `--help` says of each flag. */
const help = helpText()
  .split("\n")
  .filter((line) => line.startsWith("  --"))
  .map((line) => {
    const [, names = "", meaning = "", otherwise = ""] = /^ {2}(--.*?) {2,}(.*?)(?: \[(.*)\])?$/.exec(line) ?? [];
    return { names, meaning, otherwise };
  });

/** Rows of the page that begin with a flag. */
const documented = page
  .split("\n")
  .filter((line) => line.startsWith("| `--"))
  .map((line) => {
    const [, names = "", otherwise = "", meaning = ""] = line.split("|").map((cell) => cell.trim());
    return { names: names.replaceAll("`", ""), meaning, otherwise };
  });

describe("the flags", () => {
  it("are documented as --help has them", () => {
    expect(help.length).toBe(OWN_FLAGS.length + SGLANG_FLAGS.length);
    expect(documented).toEqual(help);
  });

  it("are all that is read, and all of them are read", () => {
    const { asked } = readSettings(["--model-path", "m"]);
    const listed = [...OWN_FLAGS, ...SGLANG_FLAGS].flatMap((flag: Flag) => flag.spellings);
    expect([...asked].toSorted()).toEqual(listed.toSorted());
  });
});
