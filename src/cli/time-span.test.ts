import { expect, test } from "vitest";
import { showInstant, showSpan } from "./time-span.ts";

test.each([
  [-5, "0s"],
  [0, "0s"],
  [999, "0s"],
  [1_000, "1s"],
  [59_999, "59s"],
  [60_000, "1m"],
  [192_000, "3m12s"],
  [3_600_000, "1h"],
  [3_659_000, "1h"],
  [7_500_000, "2h5m"],
  [90_000_000, "1d1h"],
  [864_000_000, "10d"],
])("%i ms is %s", (ms, text) => {
  expect(showSpan(ms)).toBe(text);
});

test("instants sort as text", () => {
  expect(showInstant(1_700_000_000_123)).toBe("2023-11-14T22:13:20Z");
});
