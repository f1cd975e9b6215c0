import { MAX_REPLICAS } from "../limits.ts";
import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";
import type { Share } from "../types.ts";
import { readInteger } from "./number.ts";

const what = "write a number of replicas such as `1`, or per cent of the group such as `25%`";

/** A number of replicas, or per cent of the group's: `1`, `25%`. */
export function readShare(written: string | number): Result<Share> {
  if (typeof written === "number" || !written.includes("%")) {
    const replicas = readInteger(written, what, 0, MAX_REPLICAS);
    return replicas.ok ? good({ replicas: replicas.value }) : replicas;
  }
  const match = /^ *(\d{1,3}) *% *$/.exec(written);
  const percent = Number(match?.[1] ?? Number.NaN);
  return percent <= 100 ? good({ percent }) : bad(`${quote(written)} is no share from 0% to 100%; ${what}.`);
}

/** A share that is not nothing. */
export function readSomeShare(written: string | number): Result<Share> {
  const share = readShare(written);
  if (!share.ok || !isNothing(share.value)) return share;
  return bad(`${quote(written)} is no replica at all; ${what}.`);
}

export function isNothing(share: Share): boolean {
  return "replicas" in share ? share.replicas === 0 : share.percent === 0;
}
