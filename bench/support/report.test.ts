import { describe, expect, it } from "vitest";
import { asJson, asText, type BenchResult, quantile, significant, spreadOf } from "./report.ts";

const result: BenchResult = {
  about: "Two things.",
  tables: [
    {
      title: "Times",
      columns: [
        { key: "what", title: "what" },
        { key: "time", title: "time", unit: "ms" },
        { key: "runs", title: "runs" },
      ],
      rows: [
        { what: "slow", time: spreadOf([30, 10, 20]), runs: 3 },
        { what: "not here", time: null, runs: 0 },
      ],
    },
  ],
};

it("prints figures to the right of their column, names to the left, and what was not measured as a dash", () => {
  expect(asText(result).split("\n")).toEqual([
    "Two things.",
    "",
    "Times",
    "what          time, ms  runs",
    "slow      20 (10 - 30)     3",
    "not here             -     0",
  ]);
});

it("gives programs the figures with their units, the machine and the date in one document", () => {
  const document = JSON.parse(asJson("times", result, new Date(0)));
  expect(document).toMatchObject({ bench: "times", date: "1970-01-01T00:00:00.000Z", node: process.versions.node });
  expect(document.machine.cores).toBeGreaterThan(0);
  expect(document.tables).toEqual(result.tables);
});

describe("quantile", () => {
  it.each([
    [[1, 2, 3], 0.5, 2],
    [[1, 2, 3, 4], 0.5, 2],
    [[1, 2, 3], 0, 1],
    [[1, 2, 3], 1, 3],
    [Array.from({ length: 200 }, (_, i) => i + 1), 0.99, 198],
  ])("of %j at %d is %d", (sorted, share, value) => {
    expect(quantile(sorted, share)).toBe(value);
  });

  it("refuses to make a figure out of nothing", () => {
    expect(() => spreadOf([])).toThrow("nothing was measured");
  });
});

it("rounds to four digits, and to whole numbers from a thousand on", () => {
  expect([0.123456, 12.3456, 999.96, 12_345.6].map(significant)).toEqual([0.1235, 12.35, 1000, 12_346]);
});
