import { closedFleet } from "../../src/core/hosts/fleets.ts";
import type { Answer, Input } from "../../src/core/input.ts";
import {
  NEW_PROJECT,
  observe,
  type ProjectState,
  projectState,
  takeChanges,
  takeDue,
} from "../../src/core/project-state.ts";
import { renderHost } from "../../src/core/render/render.ts";
import { opened, type SealedJob } from "../../src/core/secrets/sealed-text.ts";
import { replicasOf, routesOf } from "../../src/core/services/routes.ts";
import type { Entity, HostEntity, JournalEvent, ReplicaEntity } from "../../src/core/state.ts";
import { step } from "../../src/core/step.ts";
import type { ServiceSpec } from "../../src/spec/types.ts";
import type { DesiredJob, Inventory, JobReport, PeersReport, Report, RouterReport } from "../../src/wire/index.ts";
import { applyOf } from "./inputs.ts";
import { plainInventory } from "./inventories.ts";
import { jobReportOf, reportOf, routerReportOf } from "./reports.ts";

/** What an obedient agent does with one job between two syncs. Tests override single fields to make trouble. */
export type JobBehaviour = Partial<Pick<JobReport, "state" | "attempt" | "recentEnds" | "message">> & {
  idle?: boolean;
};

type UnreachedPeer = PeersReport["unreached"][number];

interface WorldHost {
  incarnation: string;
  seq: number;
  heldVersion: number;
  jobs: DesiredJob[];
  frozen: boolean;
  moves: number;
  /** Jobs that have ended and were reported so. */
  ended: Set<string>;
}

/** A project with hosts whose agents do what they are told, driven by hand and without time of its own. */
export class World {
  readonly state: ProjectState;
  readonly events: JournalEvent[] = [];
  /** Hosts that were to be woken. Agents here sync all the same; a test may ask whether they would have. */
  readonly woken = new Set<string>();
  readonly behaviour = new Map<string, JobBehaviour>();
  /** Replicas for which the router's agent never confirms that they are unlisted. */
  readonly stuckInRouter = new Set<string>();
  /** What hosts say of the build of the agent that they run; those that say nothing were started by hand. */
  readonly installed = new Map<string, NonNullable<Report["agent"]["installed"]>>();
  now = 1_000_000;
  /** How long the database takes for a commit. */
  commitMs = 0;
  private readonly hosts = new Map<string, WorldHost>();
  /** What each host says that it does not reach, by that host. */
  private readonly cuts = new Map<string, Map<string, UnreachedPeer>>();

  /** @param listeningSince when the controller began to listen to hosts */
  constructor(listeningSince = 0) {
    const entities: Entity[] = [NEW_PROJECT, closedFleet("default")];
    this.state = projectState("main", 1, entities, listeningSince);
  }

  input(input: Input): Answer {
    const result = step(this.state, [input], this.now);
    this.events.push(...result.events);
    for (const { host } of result.effects) this.woken.add(host);
    const { puts, deletes } = result.changes;
    if (puts.length + deletes.length + result.events.length > 0) {
      this.now += this.commitMs;
      takeChanges(this.state, this.state.version + 1, result.changes, result.due, this.now);
    } else {
      takeDue(this.state, result.due);
    }
    return result.answers[0] as Answer;
  }

  apply(
    spec: ServiceSpec,
    sealed: Record<string, string> = {},
    expectedRevision: number | null = null,
    secrets: Record<string, string> = {},
    images: Record<string, string> = {},
  ): Answer {
    return this.input(applyOf(spec, { sealed, secrets, images, expectedRevision }));
  }

  addHost(id: string, over: Partial<Inventory> = {}, fleet = "default"): void {
    const place = this.hosts.size + 1;
    const inventory = plainInventory({ address: `10.0.${place >> 8}.${place & 255}`, ...over });
    this.hosts.set(id, {
      incarnation: `${id}-1`,
      seq: 0,
      heldVersion: 0,
      jobs: [],
      frozen: false,
      moves: 0,
      ended: new Set(),
    });
    this.state.present.add(id);
    this.input({ kind: "host_joined", host: id, name: id, fleet, machine: `m-${id}`, inventory });
    this.sync(id);
    this.input({ kind: "host_present", host: id });
  }

  freeze(host: string, frozen: boolean): void {
    (this.hosts.get(host) as WorldHost).frozen = frozen;
    if (frozen) {
      this.state.present.delete(host);
      this.input({ kind: "host_silent", host, since: this.now });
    } else {
      this.state.present.add(host);
    }
  }

  /** Its machine gets another address, as it says with its next report. */
  move(id: string): void {
    const host = this.hosts.get(id) as WorldHost;
    host.moves += 1;
    this.sync(id);
  }

  /** From now on the one host finds that it does not reach the other on these ports. */
  cut(from: string, to: string, ports: number[] | "all", why: string): void {
    const { address } = (this.state.tables.host.byId.get(to) as HostEntity).inventory;
    const cuts = this.cuts.get(from) ?? new Map<string, UnreachedPeer>();
    this.cuts.set(from, cuts);
    cuts.set(to, { host: to, address, ports: ports === "all" ? [1] : ports, whole: ports === "all", why });
    this.sync(from);
  }

  /** All hosts reach each other again. */
  heal(): void {
    this.cuts.clear();
    for (const host of this.hosts.keys()) this.sync(host);
  }

  /** Every agent that is not frozen fetches its desired state, obeys, and reports; until nothing changes any more. */
  settle(rounds = 20): void {
    for (let round = 0; round < rounds; round += 1) {
      const before = this.state.version;
      for (const id of this.hosts.keys()) this.sync(id);
      if (this.state.version === before) return;
    }
  }

  advance(ms: number): void {
    this.now += ms;
    this.input({ kind: "time" });
  }

  sync(id: string): void {
    const host = this.hosts.get(id) as WorldHost;
    const entity = this.state.tables.host.byId.get(id);
    if (host.frozen || !entity) return;
    host.jobs = renderHost(this.state, entity).map(openedHere);
    host.heldVersion = this.state.version;
    host.seq += 1;
    const installed = this.installed.get(id);
    const report = reportOf({
      agent: {
        version: "0",
        bootId: "b",
        machine: `m-${id}`,
        incarnation: host.incarnation,
        ...(installed && { installed }),
      },
      seq: host.seq,
      applied: { version: host.heldVersion, hash: "" },
      inventory: { ...entity.inventory, ...(host.moves > 0 && { address: `10.${host.moves}.${id}` }) },
      jobs: host.jobs.map((job) => this.obey(host, job)),
      peers: { tag: "", round: 0, unreached: [...(this.cuts.get(id)?.values() ?? [])] },
      routers: host.jobs.filter((job) => job.role === "router").map((job) => this.routerReport(host, job)),
    });
    observe(this.state, id, report, this.now);
    this.input({ kind: "host_reported", host: id });
  }

  replicas(service: string, group?: string): ReplicaEntity[] {
    return replicasOf(this.state, service).filter((replica) => group === undefined || replica.group === group);
  }

  /** `group:status` of each replica, sorted. */
  summary(service: string): string[] {
    return this.replicas(service)
      .map((replica) => `${replica.group}:${replica.status}`)
      .sort();
  }

  routes(service: string) {
    const entity = this.state.tables.service.byId.get(service);
    if (!entity) throw new Error(`no service ${service}`);
    return routesOf(this.state, entity);
  }

  /** The desired jobs of a service, over all hosts. */
  desired(service: string): DesiredJob[] {
    return [...this.state.tables.host.byId.values()]
      .flatMap((host) => renderHost(this.state, host))
      .map(openedHere)
      .filter((job) => job.service === service);
  }

  private obey(host: WorldHost, job: DesiredJob): JobReport {
    const { idle: isIdle = true, ...trouble } = this.behaviour.get(job.replica) ?? {};
    const report = jobReportOf(job, trouble);
    if (job.phase.kind === "stop" || (job.phase.kind === "quiesce" && isIdle)) host.ended.add(job.job);
    else if (job.phase.kind === "quiesce") report.state = "quiescing";
    if (host.ended.has(job.job)) report.state = "ended";
    return report;
  }

  private routerReport(host: WorldHost, job: DesiredJob): RouterReport {
    const stuck = this.state.tables.replica;
    const kept = [...this.stuckInRouter].filter((id) => stuck.byId.has(id));
    const listed = new Set([...job.workers.map((worker) => worker.replica), ...kept]);
    return routerReportOf(job, [...listed], host.heldVersion);
  }
}

/** What is sealed has its name for a value. */
function openedHere(job: SealedJob): DesiredJob {
  return opened(job, (value) => `<${"sealed" in value ? value.sealed : value.derived}>`);
}
