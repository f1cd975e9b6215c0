import { describe, expect, test } from "vitest";
import { OddScalar, readPlainScalar } from "./plain-scalar.ts";

describe("scalars that mean one thing", () => {
  test.each([
    ["", null],
    ["~", null],
    ["null", null],
    ["true", true],
    ["False", false],
    ["0", 0],
    ["8000", 8000],
    ["-5", -5],
    ["3.12", 3.12],
    ["0.5", 0.5],
    ["y", "y"],
    ["N", "N"],
    ["yEs", "yEs"],
    ["4..8", "4..8"],
    ["2..", "2.."],
    ["H100:8", "H100:8"],
    ["8080:8000", "8080:8000"],
    ["1:60", "1:60"],
    ["24GB", "24GB"],
    ["15s", "15s"],
    ["1.2.3", "1.2.3"],
    ["2024-13", "2024-13"],
    ["-", "-"],
    ["_1", "_1"],
    ["0x", "0x"],
    ["inf", "inf"],
  ])("%j is %j", (text, value) => {
    expect(readPlainScalar(text)).toBe(value);
  });
});

describe("scalars that versions of YAML read differently", () => {
  test.each([
    ["yes", true, "yes"],
    ["Off", false, "Off"],
    ["on", true, "on"],
    ["NO", false, "NO"],
    ["010", 8, 10],
    ["-010", -8, -10],
    ["08", "08", 8],
    ["0o10", "0o10", 8],
    ["0b11", 3, "0b11"],
    ["1_000", 1000, "1_000"],
    ["0x1_0", 16, "0x1_0"],
    ["80:30", 4830, "80:30"],
    ["1:30", 90, "1:30"],
    ["-1:30", -90, "-1:30"],
    ["1:30.5", 90.5, "1:30.5"],
    ["1e3", "1e3", 1000],
    ["1.5e3", "1.5e3", 1500],
    ["1_0.5", 10.5, "1_0.5"],
  ])("%s is %j in 1.1 and %j in 1.2", (text, yaml11, yaml12) => {
    const odd = readPlainScalar(text);
    expect(odd).toBeInstanceOf(OddScalar);
    expect(odd).toMatchObject({ yaml11: { value: yaml11 }, yaml12: { value: yaml12 } });
  });

  test.each(["2024-01-01", "2024-1-1 10:00:00", "2024-01-01T10:00:00Z"])("%s is a date in 1.1", (text) => {
    expect(readPlainScalar(text)).toMatchObject({ yaml11: { kind: "date" }, yaml12: { kind: "value", value: text } });
  });
});

describe("numbers that are usually spelled otherwise", () => {
  test.each([
    ["1.10", 1.1],
    ["80.0", 80],
    ["+5", 5],
    ["0x10", 16],
    [".5", 0.5],
    ["1.5e+3", 1500],
    ["12345678901234567890", Number("12345678901234567890")],
    ["00", 0],
    [".inf", Number.POSITIVE_INFINITY],
    [".nan", Number.NaN],
  ])("%s", (text, value) => {
    const odd = readPlainScalar(text);
    expect(odd).toBeInstanceOf(OddScalar);
    expect((odd as OddScalar).yaml12).toEqual({ kind: "value", value });
  });

  test("both versions agree on the number", () => {
    expect((readPlainScalar("1.10") as OddScalar).agreedNumber).toBe(1.1);
    expect((readPlainScalar("010") as OddScalar).agreedNumber).toBeNull();
    expect((readPlainScalar("yes") as OddScalar).agreedNumber).toBeNull();
  });

  test("only words of YAML 1.1 are booleans", () => {
    expect((readPlainScalar("off") as OddScalar).boolean11).toBe(false);
    expect((readPlainScalar("010") as OddScalar).boolean11).toBeNull();
  });
});
