import { isDrained, whyCordoned } from "../../src/core/cordons.ts";
import type { ReplicaEntity, ServiceEntity } from "../../src/core/state.ts";
import type { Ledger } from "./ledger.ts";
import type { Machine } from "./machine.ts";
import type { Process } from "./process.ts";
import type { World } from "./world.ts";

/**
 * Whether the world is as it was asked to be, in what is committed and in what really runs.
 * @returns what is not, null when all is
 */
export function unsettled(world: World): string | null {
  for (const machine of world.machines) {
    if (!machine.agent?.isLinked) return `${machine.name} has no link`;
  }
  for (const ledger of world.ledgers.values()) {
    for (const host of ledger.state.tables.host.byId.values()) {
      if (host.silentSince !== null) return `${host.id} counts as silent`;
    }
    for (const service of ledger.state.tables.service.byId.values()) {
      const why = unsettledService(world, ledger, service);
      if (why) return `${ledger.project}/${service.id}: ${why}`;
    }
  }
  return strays(world);
}

function unsettledService(world: World, ledger: Ledger, service: ServiceEntity): string | null {
  const { replica: replicas } = ledger.state.tables;
  const all = [...replicas.ids("service", service.id)].map((id) => replicas.byId.get(id)!);
  if (service.status === "stopping") return "it is still stopping";
  if (service.status === "stopped") return all.length === 0 ? null : `it is stopped and has ${all.length} replicas`;
  for (const [group, wanted] of Object.entries(service.wanted)) {
    const ofGroup = all.filter((replica) => replica.group === group);
    const leaving = ofGroup.filter((replica) => isLeaving(ledger, replica));
    // One may wait beside each drained one that it would take the place of; the others are too many or too few.
    const spare = ofGroup.filter((replica) => leaving.length > 0 && replica.status !== "ready").length;
    if (ofGroup.length - spare > wanted || ofGroup.length < wanted)
      return `${group} has ${ofGroup.length} replicas, ${wanted} are wanted`;
    if (leaving.length > 0 && spare === 0)
      return `${leaving[0]?.id} is on a drained host, and none is made in its place`;
    const waiting = ofGroup.find((replica) => replica.status !== "ready" && !mayWait(world, ledger, replica, all));
    if (waiting) return `${waiting.id} is ${waiting.status} (${waiting.reason})`;
  }
  const placed = all.filter((replica) => replica.status !== "pending").map(({ id }) => id);
  return notRunning(world, ledger, placed) ?? notListed(world, ledger, service, all);
}

/** A worker may wait for room where there is none, and a router for workers that it could send to. */
function mayWait(world: World, ledger: Ledger, replica: ReplicaEntity, all: ReplicaEntity[]): boolean {
  if (replica.status === "pending" && !isOpen(ledger)) return true;
  if (replica.group !== "router") return replica.status === "pending" && !hasRoom(world, ledger);
  const ready = new Set(all.filter(({ status }) => status === "ready").map(({ group }) => group));
  const couldServe = ready.has("worker") || (ready.has("prefill") && ready.has("decode"));
  return replica.status === "starting" && !couldServe;
}

/** Whether any host is given anything new. */
function isOpen(ledger: Ledger): boolean {
  return [...ledger.state.tables.host.byId.values()].some((host) => whyCordoned(host) === null);
}

/** Whether a replica is on a host that is drained. */
function isLeaving({ state: { tables } }: Ledger, { id }: ReplicaEntity): boolean {
  const [job] = tables.job.ids("replica", id);
  return job !== undefined && isDrained(tables.host.byId.get(tables.job.byId.get(job)!.host)!);
}

/** Whether any host that is given something has an accelerator that is promised to nobody. */
function hasRoom(world: World, ledger: Ledger): boolean {
  const { job: jobs } = ledger.state.tables;
  return world.machines.some((machine) => {
    if (machine.spec.project !== ledger.project || machine.name !== machine.spec.host) return false;
    if (whyCordoned(ledger.state.tables.host.byId.get(machine.spec.host)!) !== null) return false;
    const promised = [...jobs.ids("host", machine.spec.host)].flatMap((id) => jobs.byId.get(id)!.accelerators);
    return promised.length < machine.spec.accelerators;
  });
}

function notRunning(world: World, ledger: Ledger, ids: string[]): string | null {
  const running = new Set(processes(world).map((process) => `${process.machine.spec.project} ${process.replica}`));
  const missing = ids.find((id) => !running.has(`${ledger.project} ${id}`));
  return missing ? `${missing} should run and does not` : null;
}

/** Every router lists every ready worker and nobody else. */
function notListed(
  world: World,
  ledger: Ledger,
  service: ServiceEntity,
  replicas: { id: string; group: string; status: string }[],
): string | null {
  const workers = replicas.filter((replica) => replica.group !== "router" && replica.status === "ready");
  const ids = new Set(replicas.map(({ id }) => id));
  for (const router of processes(world)) {
    if (
      router.smg === null ||
      router.machine.spec.project !== ledger.project ||
      router.service !== service.id ||
      !ids.has(router.replica)
    )
      continue;
    const listed = router.smg.live().map(({ url }) => world.reach(router.machine, url)?.replica ?? `nobody at ${url}`);
    const wanted = workers.map(({ id }) => id);
    if (listed.sort().join(" ") !== wanted.sort().join(" ")) {
      return `${router.job} lists ${listed.join(" ") || "nobody"}, not ${wanted.join(" ") || "nobody"}`;
    }
  }
  return null;
}

/** Nothing runs that is not in the state. */
function strays(world: World): string | null {
  for (const process of processes(world)) {
    const { project, host } = process.machine.spec;
    const job = world.ledger(project).state.tables.job.byId.get(process.job);
    if (job?.host !== host) return `${process.job} runs on ${process.machine.name} and is not in the state`;
  }
  return null;
}

function processes(world: World): Process[] {
  return world.machines
    .flatMap((machine: Machine) => [...machine.processes.values()])
    .filter(({ end }) => end === null);
}
