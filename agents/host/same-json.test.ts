import { expect, it } from "vitest";
import { sameJson } from "./same-json.ts";

it.each([
  [null, null],
  ["a", "a"],
  [
    [1, [2]],
    [1, [2]],
  ],
  [
    { a: 1, b: { c: null } },
    { b: { c: null }, a: 1 },
  ],
])("takes %j for %j", (a, b) => {
  expect(sameJson(a, b)).toBe(true);
});

it.each([
  [null, {}],
  [0, false],
  [1, "1"],
  [[], {}],
  [{ length: 0 }, []],
  [[1, 2], [1]],
  [
    [1, 2],
    [2, 1],
  ],
  [{ a: 1 }, { b: 1 }],
  [{ a: 1 }, { a: 1, b: 1 }],
  [{ a: [{ b: 1 }] }, { a: [{ b: 2 }] }],
  [{ toString: 1 }, {}],
  [JSON.parse('{"__proto__":{}}'), {}],
])("tells %j from %j", (a, b) => {
  expect(sameJson(a, b)).toBe(false);
  expect(sameJson(b, a)).toBe(false);
});
