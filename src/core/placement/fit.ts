import type { PortClaim } from "../../adapters/types.ts";
import type { GroupSpec } from "../../spec/types.ts";
import type { Blocks } from "../../spec/types-fleet.ts";
import type { Accelerator } from "../../wire/index.ts";
import { whyCordoned } from "../hosts/cordons.ts";
import { FLEXIBLE_PORTS, JOBS_PER_HOST_MAX } from "../limits.ts";
import type { RevisionGroup } from "../services/revision.ts";
import type { FleetEntity, HostEntity, JobEntity } from "../state.ts";
import { acceleratorMatches, describeGpu } from "./accelerators.ts";
import { whyNotAllowed } from "./allowed-hosts.ts";
import { blocksOf, chooseParts, partsOf } from "./blocks.ts";
import { whyNoRoom } from "./room.ts";
import { runtimeOn } from "./runtime.ts";

/** What a host has promised to jobs, and what else is taken on it. */
export interface HostUse {
  accelerators: Set<number>;
  /** Port -> who has it, for people. */
  ports: Map<number, string>;
  /** Whether any host of its fleet ever offered containers. */
  fleetHasContainers: boolean;
  /** Whether its agent is connected. */
  present: boolean;
  jobs: number;
  cpus: number;
  memoryGib: number;
}

/** What one job is promised on a host. */
export interface JobPromise {
  runtime: JobEntity["runtime"];
  accelerators: number[];
  ports: { name: PortClaim["name"]; port: number }[];
}

export type Fit = { ok: true; promise: JobPromise } | { ok: false; reason: string };

/**
 * Whether a job of this group fits on a host, and what it would be promised there. Lower bounds decide; upper bounds
 * only choose offers of clouds. Accelerators and ports are exclusive; cpu, memory and disk are compared with what the
 * host has in all, unless its fleet forbids overcommitting.
 */
export function fits(
  revisionGroup: RevisionGroup,
  host: HostEntity,
  fleet: FleetEntity | undefined,
  use: HostUse,
): Fit {
  const { spec: group, resolved, instances } = revisionGroup;
  const { inventory } = host;
  const { cpu, memory, disk } = group.resources;
  const notAllowed = whyNotAllowed(group, instances, host);
  if (notAllowed !== null) return no(notAllowed);
  const cordoned = whyCordoned(host);
  if (cordoned !== null) return no(cordoned);
  if (!use.present || host.silentSince !== null) return no("its agent is not connected");
  if (use.jobs >= JOBS_PER_HOST_MAX) return no(`has ${use.jobs} jobs, the most that one host is given`);
  if (cpu.arch && cpu.arch !== inventory.arch) return no(`needs an ${cpu.arch} cpu, it has ${inventory.arch}`);
  const overcommit = fleet?.settings.overcommit ?? true;
  const cpusFree = inventory.cpus - (overcommit ? 0 : use.cpus);
  if (cpusFree < cpu.count.min) return no(`needs ${cpu.count.min} cpus, it has ${round(cpusFree)}`);
  const memoryFree = inventory.memoryGib - (overcommit ? 0 : use.memoryGib);
  if (memoryFree < memory.min) return no(`needs ${memory.min} GB of memory, it has ${round(memoryFree)}`);
  if (inventory.diskGib < disk.min) return no(`needs ${disk.min} GB of disk, it has ${round(inventory.diskGib)}`);

  const running = runtimeOn(revisionGroup, host, fleet, use.fleetHasContainers);
  if (typeof running === "string") return no(running);
  const noRoom = whyNoRoom(host, running.runtime);
  if (noRoom !== null) return no(noRoom);
  const accelerators = chooseAccelerators(group, host, blocksOf(host, fleet), use);
  if (typeof accelerators === "string") return no(accelerators);
  const ports = choosePorts(resolved.ports, use);
  if (typeof ports === "string") return no(ports);
  return { ok: true, promise: { ...running, accelerators, ports } };
}

/** Records a promise in the use of a host. */
export function take(use: HostUse, job: Pick<JobEntity, "id" | "accelerators" | "ports">, group: GroupSpec): void {
  for (const index of job.accelerators) use.accelerators.add(index);
  for (const { port } of job.ports) use.ports.set(port, `job ${job.id}`);
  use.jobs += 1;
  use.cpus += group.resources.cpu.count.min;
  use.memoryGib += group.resources.memory.min;
}

function chooseAccelerators(group: GroupSpec, host: HostEntity, blocks: Blocks, use: HostUse): number[] | string {
  const { gpu } = group.resources;
  if (gpu.count.min === 0) return [];
  const matching = host.inventory.accelerators.filter((accelerator) => acceleratorMatches(gpu, accelerator));
  if (matching.length < gpu.count.min) {
    return `needs ${describeGpu(gpu)}, it has ${describeAccelerators(host)}`;
  }
  const isFree = (accelerator: Accelerator) =>
    matching.includes(accelerator) && !use.accelerators.has(accelerator.index);
  const free = partsOf(host.inventory.accelerators, blocks).filter((part) => part.every(isFree));
  const chosen = chooseParts(free, gpu.count.min);
  if (chosen === null) {
    const whole = blocks === "auto" ? "" : ` in whole blocks (its fleet has ${blocks} on this host)`;
    return `needs ${describeGpu(gpu)}, ${free.flat().length} of ${matching.length} are free${whole}`;
  }
  const total = chosen.reduce((sum, accelerator) => sum + accelerator.memoryGib, 0);
  if (gpu.totalMemory && total < gpu.totalMemory.min) {
    return `needs ${describeGpu(gpu)}, these have ${round(total)} GB`;
  }
  return chosen.map((accelerator) => accelerator.index);
}

function choosePorts(claims: PortClaim[], use: HostUse): JobPromise["ports"] | string {
  const chosen: JobPromise["ports"] = [];
  const isFree = (port: number) => !use.ports.has(port) && !chosen.some((other) => other.port === port);
  for (const claim of claims) {
    if (isFree(claim.port)) {
      chosen.push({ name: claim.name, port: claim.port });
      continue;
    }
    if (!claim.env) {
      const holder = use.ports.get(claim.port) ?? "another port of the same job";
      const variable = ENV_OF[claim.name];
      const advice = variable
        ? ` (write $${variable} instead of ${claim.port} in the commands to let it take another)`
        : "";
      return `port ${claim.port} is taken by ${holder}${advice}`;
    }
    let port = FLEXIBLE_PORTS.first;
    while (port <= FLEXIBLE_PORTS.last && !isFree(port)) port += 1;
    if (port > FLEXIBLE_PORTS.last) return `no port is free from ${FLEXIBLE_PORTS.first} to ${FLEXIBLE_PORTS.last}`;
    chosen.push({ name: claim.name, port });
  }
  return chosen;
}

/** The variables that tell a job which ports it was promised. */
export const ENV_OF: Partial<Record<string, NonNullable<PortClaim["env"]>>> = {
  service: "HEADRACE_PORT",
  bootstrap: "HEADRACE_BOOTSTRAP_PORT",
  metrics: "HEADRACE_METRICS_PORT",
} satisfies Partial<Record<PortClaim["name"], NonNullable<PortClaim["env"]>>>;

function describeAccelerators(host: HostEntity): string {
  const counts = new Map<string, number>();
  for (const { name } of host.inventory.accelerators) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => `${count} x ${name}`).join(", ") || "none";
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function no(reason: string): Fit {
  return { ok: false, reason };
}
