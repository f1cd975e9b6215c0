import { expect, test } from "vitest";
import { fitLine } from "./fit.ts";

test("a line through two points is exact", () => {
  const line = fitLine([
    { x: 1, y: 5 },
    { x: 3, y: 9 },
  ]);
  expect(line).toEqual({ at0: 3, slope: 2 });
});

test("one through three lies between them", () => {
  const points = [
    { x: 0, y: 0 },
    { x: 1, y: 3 },
    { x: 2, y: 0 },
  ];
  expect(fitLine(points)).toEqual({ at0: 1, slope: 0 });
});

test("measurements at one place make none", () => {
  expect(() => fitLine([{ x: 1, y: 1 }])).toThrow("two different places");
});
