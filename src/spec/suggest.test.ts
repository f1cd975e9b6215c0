import { expect, test } from "vitest";
import { editDistance, nearest } from "./suggest.ts";

test.each([
  ["", "", 0],
  ["port", "port", 0],
  ["prot", "port", 1],
  ["port", "ports", 1],
  ["a", "", 1],
  ["kitten", "sitting", 3],
])("from %j to %j it takes %d edits", (a, b, edits) => {
  expect(editDistance(a, b)).toBe(edits);
  expect(editDistance(b, a)).toBe(edits);
});

test.each([
  ["prot", "port"],
  ["comands", "commands"],
  ["workingDir", "working_dir"],
  ["Working-Dir", "working_dir"],
  ["colour", null],
  ["x".repeat(1000), null],
])("%s was meant as %j", (word, meant) => {
  expect(nearest(word, ["port", "commands", "working_dir"])).toBe(meant);
});
