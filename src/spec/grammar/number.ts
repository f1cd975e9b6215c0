import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";

/** A whole number within bounds, written as a number or as its digits: `5`, `"5"`, `5.0`. */
export function readInteger(written: string | number, what: string, min: number, max: number): Result<number> {
  const value = typeof written === "number" ? written : integerOf(written);
  if (value === null || !Number.isInteger(value)) return bad(`${quote(written)} is not a whole number; ${what}.`);
  if (value < min || value > max) return bad(`${quote(written)} is out of bounds; ${what}.`);
  return good(withoutSignOfZero(value));
}

/** `-0` is 0: JavaScript keeps the two apart, JSON does not, and a spec read back would be another one. */
export function withoutSignOfZero(value: number): number {
  return value === 0 ? 0 : value;
}

function integerOf(text: string): number | null {
  return /^[-+]?\d+$/.test(text.trim()) ? Number(text) : null;
}

/** A number above 0. */
export function readPositive(written: string | number): Result<number> {
  const value =
    typeof written === "number" ? written : /^\d+(\.\d+)?$/.test(written.trim()) ? Number(written) : Number.NaN;
  if (!Number.isFinite(value) || value <= 0)
    return bad(`${quote(written)} is not a number above 0; write for example \`3\` or \`0.5\`.`);
  return good(value);
}
