import { MAX_DURATION_S } from "../limits.ts";
import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";
import { withoutSignOfZero } from "./number.ts";

const unitSeconds: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

const howTo = "write seconds as a number (`90`) or a whole number with one unit of s, m, h, d, w (`15s`, `5m`, `2h`)";

/** A span of time, at least 0, in seconds. Units are not combined and take no fractions: `90m`, never `1h30m` or `1.5h`. */
export function readDuration(written: string | number): Result<number> {
  const seconds = typeof written === "number" ? written : secondsOf(written);
  if (seconds === null || !Number.isFinite(seconds)) return bad(`${quote(written)} is not a duration; ${howTo}.`);
  if (seconds < 0) return bad(`${quote(written)} is negative; a duration is 0 or more.`);
  if (seconds > MAX_DURATION_S) return bad(`${quote(written)} is longer than ten years; write a shorter duration.`);
  return good(withoutSignOfZero(seconds));
}

function secondsOf(text: string): number | null {
  const match = /^(-?\d+) *([smhdw]?)$/.exec(text.trim());
  if (match === null) return null;
  return Number(match[1]) * (unitSeconds[match[2]!] ?? 1);
}

/** A duration that can be switched off; `true`, like a missing field, means the default. */
export function readOffableDuration(written: string | number | boolean): Result<number | "off" | "default"> {
  if (written === false || written === "off" || written === "false") return good("off");
  if (written === true || written === "true") return good("default");
  const read = readDuration(written);
  return read.ok ? read : bad(read.problem.replace(/\.$/, ", or `off`."));
}

/** How long something unused stays: `off`, or in older files `-1`, is for ever. */
export function readIdleDuration(written: string | number | boolean): Result<number | "off" | "default"> {
  return written === -1 || written === "-1" ? good("off") : readOffableDuration(written);
}
