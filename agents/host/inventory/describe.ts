import type { Accelerator, HostProblem, Inventory, Nic } from "../../../src/wire/index.ts";
import { type Near, pair } from "./distance.ts";
import { chooseFabric } from "./fabric.ts";
import type { FoundAccelerator } from "./found.ts";
import { type Hardware, nicKey, type Readings } from "./hardware.ts";
import { type Fault, type HealthMemory, isHeld } from "./health.ts";
import type { FoundNic } from "./nics.ts";

/** What a report says of a machine's accelerators and NICs. */
export type HardwareReport = Pick<Inventory, "accelerators" | "nics" | "fabric" | "problems" | "warnings">;

/** Says what a machine has and what is wrong with it, by what is remembered of it with the last reading taken in. */
export function describeHardware(found: Hardware, readings: Readings, memory: HealthMemory): HardwareReport {
  const nics = allNics(found, readings, memory);
  // That of all links that were active since the boot: it does not change when one of them is lost.
  const whole = chooseFabric(memory.nics)?.nics ?? [];
  const isUp = (nic: FoundNic) => nic.state === "active";
  const fabric = chooseFabric(nics.filter(isUp));
  const near = pair(
    memory.accelerators,
    nics.filter((nic) => isUp(nic) && fabric?.nics.includes(nic.name)),
  );
  const fabricPair = pair(
    memory.accelerators,
    nics.filter((nic) => whole.includes(nic.name)),
  );
  return {
    accelerators: memory.accelerators.map((one, index) => describeAccelerator(one, index, near[index] ?? null)),
    nics: nics.map(({ chain: _, ...nic }) => nic satisfies Nic),
    fabric,
    problems: [...acceleratorProblems(memory), ...linkProblems(memory, whole, fabricPair)],
    warnings: [
      ...found.warnings,
      ...linkWarnings(nics, memory, whole),
      ...pairWarnings(near),
      ...gidWarnings(nics, fabric),
      ...(found.hasRdmaCm || fabric === null || fabric.kind === "efa"
        ? []
        : ["there is no /dev/infiniband/rdma_cm, which programs set connections up with; load the module rdma_ucm"]),
    ],
  };
}

/** Those found and those lost, by name; one whose link was active is so until it is held to be lost. */
function allNics(found: Hardware, readings: Readings, memory: HealthMemory): FoundNic[] {
  const known = new Map(memory.nics.map((nic) => [nicKey(nic), nic]));
  for (const nic of found.nics) if (!known.has(nicKey(nic))) known.set(nicKey(nic), nic);
  const all = [...known].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, nic]) => nic);
  return all.map((nic) => {
    const wasActive = memory.nics.some((other) => nicKey(other) === nicKey(nic));
    if (wasActive && !isHeld(memory, "link", nicKey(nic))) return { ...nic, state: "active" };
    const now = readings.nics.get(nicKey(nic)) ?? { state: "unknown", rateGbps: 0 };
    // Between its return and the moment when it is believed.
    return { ...nic, ...now, state: now.state === "active" ? "init" : now.state };
  });
}

function describeAccelerator(found: FoundAccelerator, index: number, near: Near | null): Accelerator {
  const { vendor, name, memoryGib, bus, numa, driver, uuid, nodes } = found;
  return { index, vendor, name, memoryGib, device: { bus, numa, driver, uuid, nodes, near } };
}

const FAULTS: { fault: Fault; code: string; says: string }[] = [
  { fault: "gone", code: "accelerator_gone", says: "was there and no longer answers; restart the machine" },
  { fault: "errors", code: "accelerator_errors", says: "has uncorrected memory errors; reset it" },
  { fault: "hot", code: "accelerator_hot", says: "is at its temperature limit; look at its cooling" },
];

function acceleratorProblems(memory: HealthMemory): HostProblem[] {
  return memory.accelerators.flatMap(({ bus, name }, index) =>
    FAULTS.filter(({ fault }) => isHeld(memory, fault, bus)).map(({ code, says }) => ({
      code,
      part: bus,
      accelerators: [index],
      message: `accelerator ${index} (${name}, ${bus}) ${says}`,
    })),
  );
}

/** Only those of the fabric: the storage's network is not ours to judge. */
function linkProblems(memory: HealthMemory, whole: string[], pairs: (Near | null)[]): HostProblem[] {
  const lost = memory.nics.filter((nic) => whole.includes(nic.name) && isHeld(memory, "link", nicKey(nic)));
  return lost.map((nic) => ({
    code: "link_down",
    part: nic.name,
    accelerators: pairs.flatMap((near, index) => (near?.nics.includes(nic.name) ? [index] : [])),
    message: `${describeNic(nic)} has lost its link`,
  }));
}

function linkWarnings(nics: FoundNic[], memory: HealthMemory, whole: string[]): string[] {
  const isProblem = (nic: FoundNic) => whole.includes(nic.name) && isHeld(memory, "link", nicKey(nic));
  const without = nics.filter((nic) => nic.state !== "active" && !isProblem(nic));
  return without.map((nic) => `${describeNic(nic)} has no link: it is ${nic.state.toUpperCase()}`);
}

/** Told where the others have one near them: then it is a fault of this one. */
function pairWarnings(near: (Near | null)[]): string[] {
  const isFar = (one: Near | null) => one?.distance === "node" || one?.distance === "sys";
  if (near.every(isFar)) return [];
  return near.flatMap((one, index) =>
    isFar(one)
      ? [`accelerator ${index} has no active NIC of the fabric near it; the nearest are ${one?.nics.join(", ")}`]
      : [],
  );
}

/** A library that is told one index uses it on every NIC. */
function gidWarnings(nics: FoundNic[], fabric: HardwareReport["fabric"]): string[] {
  if (fabric?.kind !== "roce" || fabric.gidIndex !== null) return [];
  const indices = nics
    .filter(({ name }) => fabric.nics.includes(name))
    .map(({ name, gidIndex }) => `${name} ${gidIndex ?? "none"}`);
  return [`the NICs have no common index of a RoCE v2 address with IPv4, so that none is set: ${indices.join(", ")}`];
}

function describeNic(nic: FoundNic): string {
  const port = nic.port === 1 ? "" : ` port ${nic.port}`;
  return `${nic.name}${port}${nic.interface === null ? "" : ` (${nic.interface})`}`;
}
