import type { FoundAccelerator } from "./found.ts";
import { type Hardware, nicKey, type Readings } from "./hardware.ts";
import type { FoundNic } from "./nics.ts";

/** A part is held to be bad after this many readings in a row, and good again after more of them: a flap is told once. */
const BAD_READINGS = 2;
const GOOD_READINGS = 4;

/** What can be wrong with a part. */
export type Fault = "gone" | "errors" | "hot" | "link";

/**
 * What is remembered of the parts of a machine from one reading to the next, since its boot: what it has after a boot
 * is what it has, but what disappears while it runs is missed until the next one.
 */
export interface HealthMemory {
  /** All that were there. */
  accelerators: FoundAccelerator[];
  /** Those whose link was active, as they were then. */
  nics: FoundNic[];
  /** By `faultKey`; what is not there is good. */
  faults: Record<string, { isHeld: boolean; against: number }>;
}

export const NOTHING_KNOWN: HealthMemory = { accelerators: [], nics: [], faults: {} };

/** A verdict about a part by one reading; null: it says nothing either way. */
type Verdict = "bad" | "good" | null;

/** `gone:0000:0c:00.0`, `link:mlx5_0/1`. */
const faultKey = (fault: Fault, part: string) => `${fault}:${part}`;

export function isHeld(memory: HealthMemory, fault: Fault, part: string): boolean {
  return memory.faults[faultKey(fault, part)]?.isHeld ?? false;
}

/** All parts that a reading should be about: those found and those that are missed. */
export function knownParts(memory: HealthMemory, found: Hardware): Pick<Hardware, "accelerators" | "nics"> {
  // Should one vendor's tool fail, the other's accelerators do not take the places that are promised.
  const vendor = (memory.accelerators[0] ?? found.accelerators[0])?.vendor;
  const offered = found.accelerators.filter((one) => one.vendor === vendor);
  return {
    accelerators: joined(memory.accelerators, offered, ({ bus }) => bus),
    nics: joined(memory.nics, found.nics, nicKey),
  };
}

/** Takes a reading in. What it contradicts changes only when the readings after it do so as well. */
export function weigh(memory: HealthMemory, found: Hardware, readings: Readings): HealthMemory {
  const { accelerators } = knownParts(memory, found);
  const active = found.nics.flatMap((nic) => {
    const now = readings.nics.get(nicKey(nic));
    return now?.state === "active" ? [{ ...nic, ...now }] : [];
  });
  const nics = joined(memory.nics, active, nicKey);
  const faults: HealthMemory["faults"] = {};
  const judge = (fault: Fault, part: string, verdict: Verdict) => {
    const key = faultKey(fault, part);
    const next = turn(memory.faults[key] ?? { isHeld: false, against: 0 }, verdict);
    if (next.isHeld || next.against > 0) faults[key] = next;
  };
  for (const { bus } of accelerators) {
    const now = readings.accelerators.get(bus);
    if (now === undefined) continue;
    judge("gone", bus, now.present ? "good" : "bad");
    judge("errors", bus, now.uncorrected === null ? null : now.uncorrected > 0 ? "bad" : "good");
    judge("hot", bus, now.heat === "hot" ? "bad" : now.heat === "cool" ? "good" : null);
  }
  for (const nic of nics) {
    const isActive = readings.nics.get(nicKey(nic))?.state === "active";
    judge("link", nicKey(nic), isActive ? "good" : "bad");
  }
  return { accelerators, nics, faults };
}

function turn(fault: { isHeld: boolean; against: number }, verdict: Verdict): { isHeld: boolean; against: number } {
  if (verdict === null || (verdict === "bad") === fault.isHeld) return { ...fault, against: 0 };
  const against = fault.against + 1;
  const needed = fault.isHeld ? GOOD_READINGS : BAD_READINGS;
  return against >= needed ? { isHeld: !fault.isHeld, against: 0 } : { ...fault, against };
}

/** What was known, as it is now where it was found again, in the order of their keys as text. */
function joined<T>(known: T[], found: T[], keyOf: (part: T) => string): T[] {
  const parts = new Map([...known, ...found].map((part) => [keyOf(part), part]));
  return [...parts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, part]) => part);
}
