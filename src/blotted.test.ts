import { expect, test } from "vitest";
import { blotted } from "./blotted.ts";

test.each([
  ["one that begins a longer one, whichever is named first", "?key=abcdef-123456&x=1", ["abcdef", "abcdef-123456"]],
  ["one that begins a longer one, the longer first", "?key=abcdef-123456&x=1", ["abcdef-123456", "abcdef"]],
  ["one that ends a longer one", "?key=abcdef-123456&x=1", ["123456", "abcdef-123456"]],
  ["two that overlap", "?key=abcdef-123456&x=1", ["abcdef-12", "def-123456"]],
  ["one that overlaps itself", "?key=ababababa&x=1", ["abababa"]],
  ["two side by side", "?key=abcdef123456&x=1", ["abcdef", "123456"]],
])("nothing is left of %s", (_, text, values) => {
  expect(blotted(text, values, "...")).toBe("?key=...&x=1");
});

test.each(["7", "42", "abc", "four5"])("the short value %s is taken out where it stands by itself", (pin) => {
  expect(blotted(`${pin}/v${pin}/x?pin=${pin}&n=${pin}0`, [pin], "...")).toBe(`.../v${pin}/x?pin=...&n=${pin}0`);
});

test("each place is blotted, an empty value and one that is not there change nothing, a sign is no value", () => {
  expect(blotted("a-secret then a-secret", ["", "elsewhere", "a-secret", "***"], "***")).toBe("*** then ***");
  expect(blotted("", ["a-secret"], "***")).toBe("");
});
