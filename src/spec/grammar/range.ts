import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";
import type { Range } from "../types.ts";

/** Reads one end of a range. */
export type ReadEnd = (written: string | number) => Result<number>;

/** `n`, `a..b`, `a..` or `..b`; spaces do not matter. A missing lower end is 0, a missing upper end null. */
export function readRange(written: string | number, readEnd: ReadEnd): Result<Range> {
  if (typeof written === "number" || !written.includes("..")) {
    const exact = readEnd(written);
    return exact.ok ? good({ min: exact.value, max: exact.value }) : exact;
  }
  const [low, high, ...rest] = written.split("..").map((part) => part.trim());
  if (rest.length > 0 || low === undefined || high === undefined) {
    return bad(`${quote(written)} has more than one \`..\`; write \`a..b\`, \`a..\` or \`..b\`.`);
  }
  if (low === "" && high === "") {
    return bad(`${quote(written)} has no end at all; write \`a..b\`, \`a..\` or \`..b\`, or leave the field out.`);
  }
  const min = low === "" ? good(0) : readEnd(low);
  const max = high === "" ? good(null) : readEnd(high);
  if (!min.ok) return min;
  if (!max.ok) return max;
  return orderedRange(min.value, max.value, written);
}

/** @param written the whole range as the user wrote it, for the message */
export function orderedRange(min: number, max: number | null, written: string): Result<Range> {
  if (max !== null && min > max) {
    return bad(`${quote(written)} ends below its start; the lower end comes first.`);
  }
  return good({ min, max });
}
