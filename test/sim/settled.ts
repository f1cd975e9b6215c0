import { isDrained } from "../../src/core/hosts/cordons.ts";
import { groupOfReplica } from "../../src/core/services/revision.ts";
import type { ReplicaEntity, ServiceEntity } from "../../src/core/state.ts";
import type { Ledger } from "./ledger.ts";
import type { Machine } from "./machine.ts";
import type { Process } from "./process.ts";
import { homeOf, homesFor } from "./rules/at-home-together.ts";
import { blockSize } from "./rules/whole-blocks.ts";
import type { World } from "./world.ts";

/**
 * Whether the world is as it was asked to be, in what is committed and in what really runs.
 * @returns what is not, null when all is
 */
export function unsettled(world: World): string | null {
  for (const machine of world.machines) {
    const isLinked = machine.agent?.isLinked ?? false;
    if (isLinked !== world.isMember(machine))
      return isLinked ? `${machine.name} was removed and has a link` : `${machine.name} has no link`;
    const unreached = machine.agent?.unreached.find((host) => isThere(world, machine, host)) ?? null;
    if (isLinked && unreached) return `${machine.name} holds that it does not reach ${unreached}`;
  }
  for (const ledger of world.ledgers.values()) {
    for (const host of ledger.state.tables.host.byId.values()) {
      if (host.silentSince !== null) return `${host.id} counts as silent`;
      const isUnwell = host.inventory.problems.length > 0;
      if (host.cordons.health && !isUnwell) return `${host.id} counts as unwell, and nothing of it is broken`;
    }
    const agents = notUpdated(world, ledger);
    if (agents) return agents;
    for (const service of ledger.state.tables.service.byId.values()) {
      const why = unsettledService(world, ledger, service);
      if (why) return `${ledger.project}/${service.id}: ${why}`;
    }
  }
  return strays(world);
}

/** Whether a host of the same project has a machine that runs. */
function isThere(world: World, { spec }: Machine, host: string): boolean {
  return world.machines.some(
    (machine) => machine.spec.project === spec.project && machine.spec.host === host && machine.isRunning,
  );
}

/** Every agent that can be is the build that is wanted, unless one did not get there and stopped it. */
function notUpdated({ machines, releases }: World, { project, agentBuild, state }: Ledger): string | null {
  const { host: hosts, fleet: fleets } = state.tables;
  for (const { spec, installation } of machines) {
    const host = hosts.byId.get(spec.host);
    if (spec.project !== project || !host || !installation) continue;
    const { agentVersion } = fleets.byId.get(host.fleet)!.settings;
    const { server, kept } = releases.builds;
    const wanted = agentVersion === "server" ? agentBuild : agentVersion;
    const build = [server, ...kept].find((one) => wanted !== null && one?.startsWith(wanted));
    if (!build || installation.running === build) continue;
    const isHalted = [...hosts.byId.values()].some(({ update }) => update?.build === build && update.failed !== null);
    if (!isHalted) return `the agent of ${host.id} is not ${build.slice(0, 12)}, which works or does not`;
  }
  return null;
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
  if (replica.status === "pending") return !hasRoom(world, ledger, replica);
  if (replica.group !== "router") return false;
  const ready = new Set(all.filter(({ status }) => status === "ready").map(({ group }) => group));
  const couldServe = ready.has("worker") || (ready.has("prefill") && ready.has("decode"));
  return (replica.status === "starting" || replica.status === "suspect") && !couldServe;
}

/** Whether a replica is on a host that is drained. */
function isLeaving({ state: { tables } }: Ledger, { id }: ReplicaEntity): boolean {
  const [job] = tables.job.ids("replica", id);
  return job !== undefined && isDrained(tables.host.byId.get(tables.job.byId.get(job)!.host)!);
}

/** Whether a host that nobody took out, and of which nothing is broken, has room for a replica, and is where it may go. */
function hasRoom(world: World, ledger: Ledger, replica: ReplicaEntity): boolean {
  const { project, state } = ledger;
  const { job: jobs, host: hosts, fleet: fleets } = state.tables;
  const { spec, image } = groupOfReplica(state, replica);
  const inContainer = image !== null && [...hosts.byId.values()].some(({ offeredContainers }) => offeredContainers);
  const homes = homesFor(ledger, replica);
  return world.machines.some((machine) => {
    const { host: id, containers, accelerators } = machine.spec;
    const host = hosts.byId.get(id);
    if (machine.spec.project !== project || machine.name !== id || !host) return false;
    if (homes.size > 0 && !homes.has(homeOf(ledger, id))) return false;
    if (host.cordons.operator || host.inventory.problems.length > 0 || (inContainer && !containers)) return false;
    const fleet = fleets.byId.get(host.fleet)!;
    if (!inContainer && !fleet.settings.allow.processes) return false;
    const size = blockSize(host, fleet);
    const taken = new Set(
      [...jobs.ids("host", id)].flatMap((job) =>
        jobs.byId.get(job)!.accelerators.map((index) => Math.floor(index / size)),
      ),
    );
    const free = Array.from({ length: accelerators }, (_, index) => Math.floor(index / size));
    return free.filter((part) => !taken.has(part)).length >= spec.resources.gpu.count.min;
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
    if (!world.isMember(process.machine)) continue;
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
