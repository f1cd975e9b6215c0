import { mayPassOn } from "../../agents/host/decide/router.ts";
import type { Action, Answer, Memory } from "../../agents/host/decide/types.ts";
import { decide, EMPTY_MEMORY, keepMemory } from "../../agents/host/decide.ts";
import { reportJobs, reportRouters, stateOf } from "../../agents/host/job-report.ts";
import { reconnectDelayMs } from "../../agents/host/reconnect.ts";
import { sameJson } from "../../agents/host/same-json.ts";
import type { DesiredState, Inventory, Report, SyncAnswer } from "../../src/wire/index.ts";
import { plainInventory } from "../support/inventories.ts";
import type { SimLink } from "./link.ts";
import type { Machine, MachineSpec } from "./machine.ts";
import { Parts, READING_MS } from "./parts.ts";
import { Peers } from "./peers.ts";
import type { Process } from "./process.ts";
import { answerQuestion, type Question } from "./questions.ts";
import type { Cancel } from "./timeline.ts";
import { Updates } from "./updates.ts";
import type { World } from "./world.ts";

/** As in agents/host/sync.ts. */
const SYNC_GAP_MS = 100;
const SYNC_TIMEOUT_MS = 20_000;
const SYNC_RETRY_MS = 2_000;

/** What an agent has on disk. */
export interface Saved {
  /** The state belongs to this boot; after another it is left unread. */
  boot: number;
  hash: string;
  desired: DesiredState | null;
  memory: Memory;
}

/**
 * The agent's process: `decide` and what its reports are made of are the real ones; what carries decisions out and
 * talks to the control plane is a model of agents/host/supervisor.ts, sync.ts and uplink.ts in virtual time.
 */
export class Agent {
  readonly machine: Machine;
  readonly incarnation: string;
  private readonly world: World;
  private desired: DesiredState | null;
  private hash: string;
  private memory: Memory;
  private answers: Answer[] = [];
  private readonly busy = new Set<string>();
  private readonly peers: Peers;
  private readonly updates: Updates | null;
  private over = false;
  private cancelRound: Cancel | null = null;
  private roundAt = Number.POSITIVE_INFINITY;
  private lastRoundAt = Number.NEGATIVE_INFINITY;
  private told: Pick<Report, "jobs" | "routers"> | null = null;
  private link: SimLink | null = null;
  private linkLostAt: number;
  private seq = 0;
  private syncing = false;
  private syncAgain = false;
  private syncNumber = 0;
  private lastSyncAt = Number.NEGATIVE_INFINITY;
  private syncAt = Number.POSITIVE_INFINITY;
  private cancelSync: Cancel | null = null;

  constructor(machine: Machine) {
    this.machine = machine;
    this.world = machine.world;
    this.incarnation = `${machine.name}-agent-${this.world.nextSerial()}`;
    const saved = machine.disk?.boot === machine.boot ? machine.disk : null;
    this.desired = saved?.desired ?? null;
    this.hash = saved?.hash ?? "";
    this.memory = saved ? (JSON.parse(JSON.stringify(keepMemory(saved.memory))) as Memory) : EMPTY_MEMORY;
    this.linkLostAt = this.world.timeline.now;
    this.peers = new Peers(machine, () => this.syncSoon());
    this.updates = this.updatesOf(machine);
    this.decideIn(0);
    this.dial();
    this.readParts();
  }

  get held(): DesiredState | null {
    return this.desired;
  }

  /** The hosts that it holds not to be reached from here. */
  get unreached(): string[] {
    return this.peers.report().unreached.map(({ host }) => host);
  }

  get isLinked(): boolean {
    return this.link !== null;
  }

  /** The process ends without a chance to do anything; its connections are closed by its machine, if that lives. */
  vanish(): void {
    this.over = true;
    this.cancelRound?.();
    this.cancelSync?.();
    this.peers.close();
    const { link } = this;
    this.link = null;
    if (this.machine.isOn) link?.closeAtAgent("the agent ended");
  }

  /** Something has changed on this machine. */
  look(): void {
    this.decideIn(0);
  }

  /** The process that serves a replica's requests here, if the agent lets them through. */
  target(replica: string): Process | null {
    const job = this.desired?.jobs.find((candidate) => candidate.replica === replica);
    const memory = job && this.memory.jobs[job.job];
    if (!job || !memory?.run?.alive || memory.run.termAt !== null) return null;
    if (["stopping", "ended", "backoff"].includes(stateOf(memory)) || !mayPassOn(job, memory)) return null;
    return this.machine.listener(job.port);
  }

  // Decisions.

  private decideIn(ms: number): void {
    if (this.over) return;
    const now = this.world.timeline.now;
    const at = Math.max(now + ms, this.lastRoundAt + this.machine.roundGapMs);
    if (at >= this.roundAt) return;
    this.cancelRound?.();
    this.roundAt = at;
    this.cancelRound = this.machine.after(at - now, () => this.decide());
  }

  private decide(): void {
    this.roundAt = Number.POSITIVE_INFINITY;
    this.lastRoundAt = this.world.timeline.now;
    const observed = { runs: this.machine.list(), busy: [...this.busy], answers: this.answers };
    this.answers = [];
    const decision = decide(this.desired, observed, this.memory, this.machine.clock());
    if (this.crashes()) return;
    this.memory = decision.memory;
    for (const action of decision.actions) {
      this.carryOut(action);
      if (this.crashes()) return;
    }
    this.tell();
    this.save(this.desired);
    if (this.crashes()) return;
    this.decideIn(decision.wakeInMs);
  }

  private carryOut(action: Action): void {
    switch (action.kind) {
      case "start":
      case "signal":
      case "remove":
        this.perform(action);
        return;
      default:
        this.ask(action);
    }
  }

  /** Starts, signals and removals take a moment, during which nothing is concluded from what is listed of the job. */
  private perform(action: Extract<Action, { kind: "start" | "signal" | "remove" }>): void {
    const { job } = action;
    this.busy.add(job);
    const desired = this.desired?.jobs.find((candidate) => candidate.job === job) ?? null;
    this.world.note(this.machine.name, `${action.kind} ${job}${action.kind === "signal" ? ` ${action.signal}` : ""}`);
    const failed = (detail: string) => {
      if (action.kind === "start") this.answers.push({ kind: "start-failed", job, attempt: action.attempt, detail });
    };
    this.machine.after(this.world.random.int(1, 30), () => {
      // What an agent began when it crashed may be done all the same: a supervisor was started, a signal was sent.
      const process = this.machine.processes.get(job);
      if (action.kind === "start") {
        if (desired === null) failed("it is not wanted any more");
        else if (this.world.startFails(this.machine, desired)) failed("no such shell");
        else {
          try {
            this.machine.start(desired, action.attempt);
          } catch (error) {
            failed(String(error));
          }
        }
      } else if (action.kind === "signal") {
        if (process) this.world.signalled(process, action.signal);
        process?.signal(action.signal);
      } else this.machine.remove(job);
      this.busy.delete(job);
      this.look();
    });
  }

  private ask(question: Question): void {
    const { ms, answer } = answerQuestion(this.world, this.machine, question, this.desired);
    this.machine.after(ms, () => {
      if (this.over) return;
      this.answers.push(answer());
      this.look();
    });
  }

  private tell(): void {
    const news = this.jobsNow();
    if (sameJson(news, this.told)) return;
    this.told = news;
    this.syncSoon();
  }

  private jobsNow(): Pick<Report, "jobs" | "routers"> {
    const jobs = reportJobs(this.desired, this.memory, this.machine.clock());
    return { jobs, routers: reportRouters(this.memory) };
  }

  private save(desired: DesiredState | null): void {
    this.machine.disk = { boot: this.machine.boot, hash: this.hash, desired, memory: this.memory };
  }

  /** Whether the agent's process ends right here. */
  private crashes(): boolean {
    if (this.over) return true;
    if (!this.world.faults.agentCrashes(this.machine)) return false;
    this.machine.agent = null;
    this.vanish();
    return true;
  }

  // The link.

  private dial(): void {
    const { installation } = this.machine;
    const isMute = installation && this.world.releases.behaviourOf(installation.running) === "is not accepted";
    if (this.over || isMute) return;
    this.world.network.dial(
      this,
      (link) => {
        this.link = link;
        this.sync(0);
      },
      () => this.redial(),
    );
  }

  private redial(): void {
    if (this.over) return;
    const lostForMs = this.world.timeline.now - this.linkLostAt;
    this.machine.after(reconnectDelayMs(lostForMs, this.world.random.next()), () => this.dial());
  }

  linkLost(link: SimLink): void {
    if (this.over || this.link !== link) return;
    this.link = null;
    this.linkLostAt = this.world.timeline.now;
    this.redial();
  }

  get isOver(): boolean {
    return this.over;
  }

  private updatesOf(machine: Machine): Updates | null {
    const { installation } = machine;
    if (!installation) return null;
    const end = () => {
      machine.agent = null;
      this.vanish();
    };
    return new Updates({ machine, installation, end, changed: () => this.syncSoon(), crashes: () => this.crashes() });
  }

  private readParts(): void {
    this.machine.after(READING_MS, () => {
      if (this.over) return;
      if (this.machine.parts.read()) this.syncSoon();
      this.readParts();
    });
  }

  // Syncs.

  /** The control plane has news, or this host has. */
  syncSoon(): void {
    if (this.syncing) this.syncAgain = true;
    else this.sync(0);
  }

  private sync(ms: number): void {
    if (this.over || this.link === null || this.syncing) return;
    const now = this.world.timeline.now;
    const at = Math.max(now + ms, this.lastSyncAt + SYNC_GAP_MS);
    if (this.cancelSync !== null && at >= this.syncAt) return;
    this.cancelSync?.();
    this.syncAt = at;
    this.cancelSync = this.machine.after(at - now, () => {
      this.cancelSync = null;
      this.syncAt = Number.POSITIVE_INFINITY;
      this.beginSync();
    });
  }

  private beginSync(): void {
    const { link } = this;
    if (this.over || link === null) return;
    this.syncAgain = false;
    this.syncing = true;
    this.lastSyncAt = this.world.timeline.now;
    this.seq += 1;
    this.syncNumber += 1;
    const number = this.syncNumber;
    const done = (nextMs: number) => {
      if (this.over || !this.syncing || this.syncNumber !== number) return;
      giveUp();
      this.syncing = false;
      this.sync(this.syncAgain || this.link !== link ? 0 : nextMs);
    };
    const giveUp = this.machine.after(SYNC_TIMEOUT_MS, () => {
      cancel();
      done(SYNC_RETRY_MS);
    });
    const cancel = link.sync(this.report(), (answer) => {
      if (this.over || !this.syncing || this.syncNumber !== number) return;
      done(answer === null ? SYNC_RETRY_MS : this.take(answer));
    });
  }

  private report(): Report {
    const { spec, boot } = this.machine;
    const now = this.jobsNow();
    const installed = this.machine.installation?.state;
    for (const { state } of now.jobs) this.world.coverage.saw("job state", state);
    return {
      agent: {
        version: "0",
        bootId: `boot-${boot}`,
        machine: spec.machineId,
        incarnation: this.incarnation,
        ...(installed && { installed }),
      },
      seq: this.seq,
      applied: { version: this.desired?.version ?? 0, hash: this.hash },
      inventory: inventoryOf(this.machine),
      busyPorts: [],
      ...now,
      peers: this.peers.report(),
    };
  }

  /** @returns when to come back */
  private take({ version, hash, desired, nextSyncInMs, peers, agent }: SyncAnswer): number {
    this.updates?.accepted();
    if (this.over) return SYNC_RETRY_MS;
    const held = this.desired;
    if (agent) this.updates?.told(agent);
    if (peers) {
      this.world.rules.tries(this.machine, peers);
      this.peers.want(peers);
    }
    if (held !== null && version < held.version) {
      this.world.coverage.saw("answer", "older than what is held");
      return SYNC_RETRY_MS;
    }
    if (desired !== null) this.want({ ...(desired as DesiredState), version }, hash);
    else if (held === null || hash !== this.hash) return SYNC_RETRY_MS;
    else if (version > held.version) this.want({ ...held, version }, hash);
    return nextSyncInMs;
  }

  /** On disk before it is acted on. */
  private want(desired: DesiredState, hash: string): void {
    this.world.takes(this.machine, desired);
    this.hash = hash;
    this.save(desired);
    if (this.crashes()) return;
    this.desired = desired;
    this.look();
  }
}

/** What an agent tells of a machine. */
function inventoryOf({ spec, parts, engineIsAway }: Machine): Inventory {
  return { ...inventoryAtFirst(spec, parts), ...(engineIsAway ? { runtimes: ["process"] } : {}) };
}

/** The same of one on which all is well. */
export function inventoryAtFirst(
  { address, accelerators, containers }: Pick<MachineSpec, "address" | "accelerators" | "containers">,
  parts = new Parts(accelerators),
): Inventory {
  const { report } = parts;
  return plainInventory({
    address,
    accelerators: report.accelerators,
    runtimes: containers ? ["process", "docker"] : ["process"],
    warnings: report.warnings,
    nics: report.nics,
    fabric: report.fabric,
    problems: report.problems,
  });
}
