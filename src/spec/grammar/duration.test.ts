import { describe, expect, test } from "vitest";
import { readDuration, readOffableDuration } from "./duration.ts";

describe("a duration", () => {
  test.each([
    [0, 0],
    [90, 90],
    [0.5, 0.5],
    ["90", 90],
    ["15s", 15],
    ["15 s", 15],
    ["5m", 300],
    ["2h", 7200],
    ["1d", 86_400],
    ["1w", 604_800],
    [" 5m ", 300],
  ])("%j is %d seconds", (written, seconds) => {
    expect(readDuration(written)).toEqual({ ok: true, value: seconds });
  });

  test.each(["", "1h30m", "1.5h", "1.5", "5min", "m", "5M", "five", "1e3", "-5s", "11000d"])(
    "%j is refused",
    (written) => {
      expect(readDuration(written).ok).toBe(false);
    },
  );

  test.each([-1, Number.POSITIVE_INFINITY, Number.NaN, 1e12])("the number %d is refused", (written) => {
    expect(readDuration(written).ok).toBe(false);
  });
});

describe("a duration that can be off", () => {
  test.each([
    ["off", "off"],
    ["false", "off"],
    [false, "off"],
    [true, "default"],
    ["true", "default"],
    ["5m", 300],
    [5, 5],
  ])("%j is %j", (written, value) => {
    expect(readOffableDuration(written)).toEqual({ ok: true, value });
  });

  test("a refusal names `off` too", () => {
    expect(readOffableDuration("never")).toMatchObject({ ok: false, problem: expect.stringContaining("or `off`") });
  });
});
