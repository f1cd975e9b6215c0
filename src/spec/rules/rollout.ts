import type { Finding } from "../finding.ts";
import { isNothing, readShare } from "../grammar/share.ts";
import { atValue, isSet, type Raw } from "./raw.ts";

/** A rollout goes on by one more or by one less: without either it stands still for ever. */
export function checkRollout(service: Raw): Finding[] {
  if (!isNone(service, "max_surge")) return [];
  if (isSet(service, "max_unavailable") && !isNone(service, "max_unavailable")) return [];
  return [
    atValue(
      ["max_surge"],
      "With `max_surge: 0` and no `max_unavailable` no replica could ever be replaced; allow one of them, for example `max_unavailable: 1`.",
    ),
  ];
}

function isNone(service: Raw, key: string): boolean {
  if (!isSet(service, key)) return false;
  const written = service[key];
  if (typeof written !== "string" && typeof written !== "number") return false;
  const share = readShare(written);
  return share.ok && isNothing(share.value);
}
