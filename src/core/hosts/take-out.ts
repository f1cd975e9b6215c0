import type { Answer, Input } from "../input.ts";
import { noHost, refused } from "../refused.ts";
import type { OperatorCordon } from "../state.ts";
import type { StepContext } from "../step.ts";
import { inBrackets, noteDrained } from "./cordons.ts";
import { touchServicesOn } from "./silence.ts";

/** An operator takes a host out: it gets nothing new, and with `drain` what runs there is moved away. */
export function cordonHost(context: StepContext, input: Extract<Input, { kind: "host_cordoned" }>): Answer {
  const { draft, now } = context;
  const host = draft.get("host", input.host);
  if (!host) return noHost(input.host);
  const before = host.cordons.operator;
  const after: OperatorCordon = {
    since: before?.since ?? now,
    by: input.actor,
    reason: input.reason || (before?.reason ?? ""),
    // Only `uncordon` ends a drain: who cordons a host that is being drained wants nothing back on it.
    drain: input.drain || (before?.drain ?? false),
  };
  if (before && before.drain === after.drain && before.reason === after.reason) return { kind: "done" };
  draft.put({ ...host, cordons: { ...host.cordons, operator: after } });
  const what = after.drain ? "is to be drained" : "gets nothing new";
  const type = after.drain ? "host.draining" : "host.cordoned";
  draft.event({ type, host: host.id, message: `${host.name} ${what}${inBrackets(after.reason)}` });
  if (after.drain) {
    noteDrained(draft, host.id);
    touchServicesOn(context, host.id);
  }
  return { kind: "done" };
}

/** An operator gives a host back. What was not moved away yet stays. */
export function uncordonHost(context: StepContext, id: string): Answer {
  const { draft } = context;
  const host = draft.get("host", id);
  if (!host) return noHost(id);
  const { operator, health } = host.cordons;
  if (!operator && health) {
    const message = `${host.name} is cordoned because of its health (${health.reason}), which ends by itself once it is well`;
    return refused("conflict", message);
  }
  if (!operator) return { kind: "done" };
  draft.put({ ...host, cordons: { ...host.cordons, operator: null } });
  const still = health ? `, and is still not well${inBrackets(health.reason)}` : "";
  draft.event({ type: "host.uncordoned", host: id, message: `${host.name} is given back${still}` });
  context.roomFreed = true;
  touchServicesOn(context, id);
  return { kind: "done" };
}

/** Takes in what a host's own inventory says of its health. @param reason null = it is well */
export function takeHealth(context: StepContext, id: string, reason: string | null): void {
  const { draft, now } = context;
  const host = draft.must("host", id);
  const before = host.cordons.health;
  if ((before?.reason ?? null) === reason) return;
  const health = reason === null ? null : { since: before?.since ?? now, reason };
  draft.put({ ...host, cordons: { ...host.cordons, health } });
  if (reason === null) {
    draft.event({ type: "host.well", host: id, message: `${host.name} is well again` });
    context.roomFreed = true;
  } else {
    draft.event({ type: "host.unwell", host: id, message: `${host.name} gets nothing new: ${reason}` });
  }
}
