import { expect, test } from "vitest";
import { cut, table } from "./table.ts";

test("columns are as wide as their widest cell, colours not counted, and lines end at their last character", () => {
  expect(
    table([
      ["NAME", "READY", "NOTE"],
      ["\u001b[32mlong-name\u001b[39m", "1/1", ""],
      ["a", "10/10", "x"],
      ["group", "0/2"],
    ]),
  ).toEqual(["NAME       READY  NOTE", "\u001b[32mlong-name\u001b[39m  1/1", "a          10/10  x", "group      0/2"]);
  expect(table([])).toEqual([]);
});

test("a line never takes more than its columns", () => {
  expect(cut("12345", 5)).toBe("12345");
  expect(cut("123456", 5)).toBe("1234…");
  expect(cut("\u001b[31m12345\u001b[39m", 5)).toBe("\u001b[31m12345\u001b[39m");
  expect(cut("\u001b[31m123456\u001b[39m", 5)).toBe("1234…");
});
