import { NO_CORDONS } from "../../src/core/hosts/cordons.ts";
import { closedFleet } from "../../src/core/hosts/fleets.ts";
import { NEW_PROJECT } from "../../src/core/project-state.ts";
import type { HostEntity } from "../../src/core/state.ts";
import type { CommitBatch } from "../../src/store/types.ts";
import type { DesiredJob, DesiredState } from "../../src/wire/index.ts";
import { Agent, inventoryAtFirst } from "./agent.ts";
import { Coverage } from "./coverage.ts";
import { Faults } from "./faults.ts";
import { History } from "./history.ts";
import { firstCredential } from "./joining.ts";
import { Ledger } from "./ledger.ts";
import { Machine, type MachineSpec } from "./machine.ts";
import { MemoryStore } from "./memory-store.ts";
import { Network } from "./network.ts";
import { Process } from "./process.ts";
import { Random } from "./random.ts";
import { Releases } from "./releases.ts";
import { readyAndDrained } from "./rules/hosts-taken-out.ts";
import { type Broken, Rules } from "./rules/rules.ts";
import { readyAndTakenOut } from "./rules/serving-stays.ts";
import { Server } from "./server.ts";
import type { Smg } from "./smg.ts";
import { Timeline } from "./timeline.ts";
import { startInstalled } from "./updates.ts";

export const START = 1_700_000_000_000;

/** A server that ended is started again after this, on average. */
const SERVER_RESTART_MS = 3_000;
/** Clocks of two servers differ by at most this; deadlines are instants by the clock of whichever wrote them. */
export const SERVER_CLOCK_OFFSET_MS_MAX = 400;

export interface WorldOptions {
  seed: number;
  faults: boolean;
  /** Keeps the history's lines. */
  trace: boolean;
}

/** Everything of one simulation, put together: what there is, and what the parts tell the rules. */
export class World {
  readonly timeline = new Timeline(START);
  readonly coverage = new Coverage();
  readonly store = new MemoryStore();
  readonly random: Random;
  readonly history: History;
  readonly network: Network;
  readonly faults: Faults;
  readonly releases: Releases;
  readonly rules: Rules;
  readonly ledgers = new Map<string, Ledger>();
  readonly machines: Machine[] = [];
  servers: Server[] = [];
  commits = 0;
  /** Nothing of the control plane runs, and nobody starts it again. */
  private isOut = false;
  private serial = 0;
  private serverClockOffsetMs: number;

  constructor({ seed, faults, trace }: WorldOptions) {
    this.random = new Random(seed, "world");
    this.history = new History(trace);
    this.network = new Network(this);
    this.faults = new Faults(this, seed, faults);
    this.releases = new Releases(this, seed);
    this.rules = new Rules(this);
    // The whole control plane may be an hour wrong; its processes among each other only a little.
    this.serverClockOffsetMs = faults ? this.random.int(-1, 1) * this.random.int(0, 3_600_000) : 0;
  }

  get broken(): Broken | null {
    return this.rules.broken;
  }

  /** Now by the clocks of the servers, or a little before. */
  controlNow(): number {
    return this.timeline.now + this.serverClockOffsetMs;
  }

  nextSerial(): number {
    this.serial += 1;
    return this.serial;
  }

  note(who: string, what: string): void {
    this.history.add(this.timeline.now - START, who, what);
  }

  // Making it.

  async createProject(
    project: string,
    machines: number,
    accelerators: () => number,
    containers: () => boolean = () => false,
    fleet: () => string = () => "default",
  ): Promise<void> {
    const specs: MachineSpec[] = Array.from({ length: machines }, (_, index) => ({
      project,
      host: `${project}-h${index + 1}`,
      machineId: `machine-${project}-${index + 1}`,
      fleet: fleet(),
      address: `10.${this.ledgers.size + 1}.0.${index + 1}`,
      accelerators: accelerators(),
      containers: containers(),
      credential: `hrh_${project}-h${index + 1}`,
    }));
    const hosts = specs.map(
      (spec): HostEntity => ({
        kind: "host",
        id: spec.host,
        name: spec.host,
        fleet: spec.fleet,
        machine: spec.machineId,
        inventory: inventoryAtFirst(spec),
        silentSince: null,
        joinedAt: START,
        offeredContainers: spec.containers,
        cordons: NO_CORDONS,
        update: null,
      }),
    );
    const fleets = new Set(["default", ...specs.map((spec) => spec.fleet)]);
    const entities = [...[...fleets].map(closedFleet), NEW_PROJECT, ...hosts];
    await this.store.createProject(project, START, entities);
    this.ledgers.set(project, new Ledger(project, entities));
    for (const spec of specs) {
      await this.store.putCredential(firstCredential(spec));
      this.addMachine(spec);
    }
  }

  ledger(project: string): Ledger {
    const ledger = this.ledgers.get(project);
    if (!ledger) throw new Error(`there is no project ${project} here`);
    return ledger;
  }

  addMachine(spec: MachineSpec): Machine {
    const isClone = this.machines.some((other) => other.spec.host === spec.host);
    const machine = new Machine(this, spec, isClone ? spec.machineId : spec.host);
    this.machines.push(machine);
    this.startAgent(machine);
    return machine;
  }

  removeMachine(machine: Machine): void {
    const at = this.machines.indexOf(machine);
    if (at !== -1) this.machines.splice(at, 1);
  }

  /** Whether a machine is one of its project's hosts, or was removed and runs on unknown to anybody. */
  isMember({ spec }: Machine): boolean {
    return this.ledger(spec.project).state.tables.host.byId.has(spec.host);
  }

  /** A host's machine, and every copy of it, is switched off for good. */
  retire(project: string, host: string): void {
    for (const machine of this.machines.filter(({ spec }) => spec.project === project && spec.host === host)) {
      this.note(machine.name, "is gone for good");
      machine.retire();
      this.network.watch(machine);
      this.removeMachine(machine);
    }
  }

  startAgent(machine: Machine): void {
    if (machine.agent || !machine.isOn) return;
    const { installation } = machine;
    if (installation && !startInstalled(machine, installation)) return;
    const build = installation ? ` (${installation.running.slice(0, 12)})` : "";
    this.note(machine.name, `agent starts${build}`);
    machine.agent = new Agent(machine);
  }

  startServer(): Server {
    const offset = this.serverClockOffsetMs + this.random.int(0, SERVER_CLOCK_OFFSET_MS_MAX);
    const server = new Server(this, `server-${this.nextSerial()}`, offset);
    this.servers.push(server);
    this.note(server.name, "starts");
    return server;
  }

  serverEnded(server: Server): void {
    this.servers = this.servers.filter((other) => other !== server);
    this.timeline.after(this.random.span(SERVER_RESTART_MS), () => {
      if (this.servers.length === 0 && !this.isOut) this.startServer();
    });
  }

  /** Every server is gone until `endOutage`. */
  beginOutage(): void {
    this.isOut = true;
    for (const server of this.servers) server.crash();
  }

  endOutage(): void {
    this.isOut = false;
    if (this.servers.length === 0) this.startServer();
  }

  // What its parts ask of each other.

  spawn(machine: Machine, job: DesiredJob, attempt: number): Process {
    this.rules.starts(machine, job);
    const process = new Process(this, machine, job, attempt);
    this.note(machine.name, `${job.job} #${attempt} runs`);
    return process;
  }

  startFails(machine: Machine, job: DesiredJob): boolean {
    return this.faults.startFails(machine, job);
  }

  /** The process that accepts connections at a URL, if the one who connects gets through to it. */
  reach(from: Machine, url: string): Process | null {
    const { hostname, port } = addressOf(url);
    const machine = this.machines.find((candidate) => candidate.spec.address === hostname);
    if (!machine?.isRunning || !this.network.joins(from, machine)) return null;
    return machine.listener(port);
  }

  // What its parts tell.

  committed(server: Server, batch: CommitBatch): void {
    const ledger = this.ledger(batch.project);
    const drained = readyAndDrained(ledger, batch);
    const takenOut = readyAndTakenOut(ledger, batch);
    const agentBuild = ledger.agentBuild;
    const isNew = ledger.take(batch, this.timeline.now, (kind, from, to) =>
      this.coverage.saw(`${kind} edge`, `${from} -> ${to}`),
    );
    if (!isNew) {
      this.coverage.saw("commit", "sent again");
      return;
    }
    this.commits += 1;
    this.note(server.name, `commit ${batch.project}/${batch.version} (${batch.cause}) ${eventsOf(batch)}`);
    for (const entity of batch.puts) if (entity.kind === "service") this.coverage.saw("service", entity.status);
    for (const { type } of batch.events) if (type === "service.expired") this.coverage.saw("service", "expired");
    for (const { type } of batch.events) if (/^(host|fleet|server)\./.test(type)) this.coverage.saw("host", type);
    for (const { type, host } of batch.events) if (type === "host.updated" && host) this.updated(ledger.project, host);
    this.rules.committed(server, ledger, batch, { drained, takenOut, agentBuild });
  }

  /** The control plane has heard from a host that it runs the build that it was told of. */
  private updated(project: string, host: string): void {
    for (const { spec, installation } of this.machines) {
      if (installation && spec.project === project && spec.host === host) installation.isShown = true;
    }
  }

  takes(machine: Machine, desired: DesiredState): void {
    this.rules.takes(machine, desired);
  }

  signalled(process: Process, signal: "SIGTERM" | "SIGKILL"): void {
    this.rules.signalled(process, signal);
  }

  routerChanged(smg: Smg): void {
    const listed = smg.live().map((worker) => worker.url);
    this.note(
      smg.process.machine.name,
      `${smg.process.job} lists ${listed.length === 0 ? "nobody" : listed.join(" ")}`,
    );
    this.rules.routerChanged(smg);
  }

  logged(server: Server, level: "info" | "warn" | "error", message: string, fields: Record<string, unknown>): void {
    this.note(server.name, `${level}: ${message} ${JSON.stringify(fields)}`);
    if (level === "error") this.rules.logged(message, fields);
  }
}

const addresses = new Map<string, { hostname: string; port: number }>();

function addressOf(url: string): { hostname: string; port: number } {
  let address = addresses.get(url);
  if (!address) {
    const { hostname, port } = new URL(url);
    address = { hostname, port: Number(port) };
    addresses.set(url, address);
  }
  return address;
}

function eventsOf(batch: CommitBatch): string {
  return batch.events.map((event) => `${event.type} ${event.replica ?? event.service ?? event.host ?? ""}`).join(", ");
}
