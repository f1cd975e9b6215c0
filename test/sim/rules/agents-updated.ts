import { UPDATING_SHARE } from "../../../src/core/limits.ts";
import type { CommitBatch } from "../../../src/store/types.ts";
import type { Ledger } from "../ledger.ts";
import type { Machine } from "../machine.ts";
import type { World } from "../world.ts";

/**
 * Hosts are told of the build that is committed for their fleet and no other, one in ten at a time, and nobody once one
 * of them did not get there.
 */
export function toldOfWhatIsWanted(ledger: Ledger, batch: CommitBatch): string | null {
  const { host: hosts, fleet: fleets } = ledger.state.tables;
  for (const host of batch.puts) {
    if (host.kind !== "host" || host.update?.order !== batch.version) continue;
    const { build } = host.update;
    const { agentVersion } = fleets.byId.get(host.fleet)!.settings;
    const wanted = agentVersion === "server" ? (ledger.agentBuild ?? "") : agentVersion;
    if (!build.startsWith(wanted)) return `${host.id} is told of build ${build}, and ${wanted} is wanted`;
    const fellow = [...hosts.byId.values()].filter(({ fleet }) => fleet === host.fleet);
    const halted = fellow.find(({ update }) => update?.build === build && update.failed !== null);
    if (halted) return `${host.id} is told of build ${build}, which came to nothing on ${halted.id}`;
    const open = fellow.filter(({ update }) => update?.cameAt === null && update.failed === null);
    if (open.length > atATime(fellow.length)) return `${open.map(({ id }) => id).join(", ")} are told at a time`;
  }
  return null;
}

/** Of two servers on one database neither takes back what the other gave out: each says it when it begins. */
export function saidOnce(
  ledger: Ledger,
  batch: CommitBatch,
  before: string | null,
  serverSaid: Set<string>,
): string | null {
  const entity = batch.puts.find(({ kind }) => kind === "project");
  if (entity?.kind !== "project" || entity.agentBuild === before) return null;
  if (serverSaid.has(ledger.project)) return `one server gave out ${before} and ${entity.agentBuild}`;
  serverSaid.add(ledger.project);
  return null;
}

/** Few machines of a fleet are at a time on a build that has not shown itself yet. */
export function fewOnTrial(world: World, { spec: { project, fleet } }: Machine): string | null {
  const isFellow = (machine: Machine) => machine.spec.project === project && machine.spec.fleet === fleet;
  const fellow = world.machines.filter((machine) => isFellow(machine) && world.isMember(machine));
  const onTrial = fellow.filter(({ installation }) => installation?.trial && !installation.isShown);
  if (onTrial.length <= atATime(fellow.length)) return null;
  return `${onTrial.map(({ name }) => name).join(", ")} are on trial at a time`;
}

function atATime(hosts: number): number {
  return Math.max(1, Math.floor(hosts / UPDATING_SHARE));
}
