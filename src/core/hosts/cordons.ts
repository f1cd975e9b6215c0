import type { Draft } from "../draft.ts";
import type { Cordons, HostEntity } from "../state.ts";

export const NO_CORDONS: Cordons = { operator: null, health: null };

/** Why a host gets nothing new, for people; null = it does. */
export function whyCordoned({ cordons: { operator, health } }: Pick<HostEntity, "cordons">): string | null {
  const parts: string[] = [];
  if (operator) parts.push(`is ${operator.drain ? "being drained" : "cordoned"}${inBrackets(operator.reason)}`);
  if (health) parts.push(`is not well${inBrackets(health.reason)}`);
  return parts.length === 0 ? null : parts.join(" and ");
}

/** Whether what runs on a host is to be moved away. */
export function isDrained({ cordons }: Pick<HostEntity, "cordons">): boolean {
  return cordons.operator?.drain ?? false;
}

/** Says so once nothing is left on a host that was to be drained. */
export function noteDrained(draft: Draft, id: string): void {
  const host = draft.get("host", id);
  if (!host || !isDrained(host) || draft.by("job", "host", id).length > 0) return;
  draft.event({ type: "host.drained", host: id, message: `nothing runs on ${host.name} any more` });
}

export function inBrackets(reason: string): string {
  return reason === "" ? "" : ` (${reason})`;
}
