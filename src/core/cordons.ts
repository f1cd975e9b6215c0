import type { Cordons, HostEntity } from "./state.ts";

export const NO_CORDONS: Cordons = { operator: null, health: null };

/** Why a host gets nothing new, for people; null = it does. */
export function whyCordoned({ cordons: { operator, health } }: HostEntity): string | null {
  const parts: string[] = [];
  if (operator)
    parts.push(`is ${operator.drain ? "drained" : "cordoned"}${operator.reason && ` (${operator.reason})`}`);
  if (health) parts.push(`is not well (${health.reason})`);
  return parts.length === 0 ? null : parts.join(" and ");
}
