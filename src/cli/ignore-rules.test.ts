import { expect, test } from "vitest";
import { readIgnoreRules, verdictOf } from "./ignore-rules.ts";

const leftOut = (text: string, path: string) =>
  verdictOf(readIgnoreRules(text), path.replace(/\/$/, ""), path.endsWith("/")) === "left out";

/** Pattern, what it leaves out, what it does not; a path that ends in `/` is a folder. */
test.each([
  ["*.log", ["a.log", "deep/er/a.log", ".log"], ["a.log.txt", "alog"]],
  ["build", ["build", "build/", "src/build/"], ["rebuild", "build.txt"]],
  ["build/", ["build/", "src/build/"], ["build"]],
  ["/build", ["build", "build/"], ["src/build"]],
  ["src/*.js", ["src/a.js"], ["a.js", "lib/src/a.js", "src/deep/a.js"]],
  ["**/cache", ["cache", "a/b/cache"], ["caches"]],
  ["a/**/z", ["a/z", "a/b/c/z"], ["z", "b/a/z"]],
  ["data/**", ["data/x", "data/x/y"], ["data/", "other/data/x"]],
  ["?.txt", ["a.txt", "é.txt"], [".txt", "ab.txt"]],
  ["[a-c].txt", ["b.txt"], ["d.txt"]],
  ["[!a-c].txt", ["d.txt"], ["b.txt"]],
  ["[]x].txt", ["].txt", "x.txt"], ["y.txt"]],
  ["a.b", ["a.b"], ["axb"]],
  ["# note", [], ["# note", "note"]],
  ["\\#x", ["#x"], ["x"]],
  ["\\!x", ["!x"], ["x"]],
  ["x  ", ["x"], ["x  "]],
  ["x\\ ", ["x "], ["x"]],
  ["a(b)+{c}|$", ["a(b)+{c}|$"], ["ab"]],
  ["", [], ["a"]],
  ["/", [], ["a", "a/"]],
  ["[z-a]", [], ["z"]],
  ["[open", [], ["o"]],
])("%s", (text, out, kept) => {
  for (const path of out) expect(leftOut(text, path), path).toBe(true);
  for (const path of kept) expect(leftOut(text, path), path).toBe(false);
});

test("the last line that matches counts", () => {
  expect(leftOut("*.log\n!keep.log", "keep.log")).toBe(false);
  expect(leftOut("!keep.log\r\n*.log\r\n", "keep.log")).toBe(true);
  expect(verdictOf(readIgnoreRules("*.log\n!keep.log"), "keep.log", false)).toBe("kept");
  expect(verdictOf(readIgnoreRules("*.log"), "a.txt", false)).toBe(null);
});
