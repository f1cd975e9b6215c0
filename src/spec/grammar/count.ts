import { MAX_REPLICAS } from "../limits.ts";
import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";
import { readInteger } from "./number.ts";
import { readRange } from "./range.ts";

/** How many replicas a group has, both ends known. */
export interface Count {
  min: number;
  max: number;
}

const what = `a group has 0 to ${MAX_REPLICAS} replicas, for example \`2\`, or \`1..4\` with \`scaling\``;

/** `n`, `a..b` or `..b`. Open above is refused: scaling needs to know where to stop. */
export function readCount(written: string | number): Result<Count> {
  const range = readRange(written, readReplicas);
  return range.ok ? closedCount(range.value.min, range.value.max, String(written)) : range;
}

export function readReplicas(written: string | number): Result<number> {
  return readInteger(written, what, 0, MAX_REPLICAS);
}

export function closedCount(min: number, max: number | null, written: string): Result<Count> {
  if (max !== null) return good({ min, max });
  return bad(`${quote(written)} has no upper end; say how far it may grow, for example \`${min}..${min + 2}\`.`);
}
