import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MemoryStore } from "../../../test/sim/memory-store.ts";
import { HandClock } from "../../../test/support/hand-clock.ts";
import { INVENTORY, jobReportOf, reportOf, routerReportOf } from "../../../test/support/reports.ts";
import { HeadraceControl } from "../../control/control.ts";
import { createSealer } from "../../control/seal.ts";
import type { Caller } from "../../control/types.ts";
import { type AgentBuilds, NO_BUILDS } from "../../core/hosts/agent-builds.ts";
import { closedFleet } from "../../core/hosts/fleets.ts";
import { ROUTE_CACHE_MS } from "../../core/limits.ts";
import { NEW_PROJECT } from "../../core/project-state.ts";
import type { FleetAllowance } from "../../spec/types-fleet.ts";
import { type DesiredJob, desiredState, type Inventory, type PeersReport, type Report } from "../../wire/index.ts";
import { Cli } from "./run.ts";

const ADMIN: Caller = { credentialId: "c", project: "main", kind: "admin", name: "admin", subject: null };

/** Enough for whatever is applied to be told, started, listed and ready. */
const ROUNDS = 6;

interface StagedHost {
  id: string;
  name: string;
  inventory: Inventory;
  seq: number;
  applied: { version: number; hash: string };
  jobs: DesiredJob[];
  unreached: PeersReport["unreached"];
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Accelerators of one kind. */
export function gpus(
  count: number,
  name: string,
  memoryGib: number,
  vendor: "nvidia" | "amd" = "nvidia",
): Partial<Inventory> {
  const accelerators = Array.from({ length: count }, (_, index) => ({
    index,
    vendor,
    name,
    memoryGib,
  }));
  return { accelerators };
}

/**
 * The program against a real control plane with hosts that do what they are told, so that a plan is shown as a person
 * would see it. Time stands
 * but where a drain needs it.
 */
export class PlanStage {
  readonly cli: Cli & AsyncDisposable;
  private readonly control: HeadraceControl;
  private readonly clock: HandClock;
  private readonly hosts: StagedHost[] = [];
  /** The build of the agent that the server gives out; none until a test sets it. */
  readonly builds: Mutable<AgentBuilds>;
  /** What hosts say of the build that they run, by name; the others were started by hand. */
  readonly installed = new Map<string, NonNullable<Report["agent"]["installed"]>>();

  private constructor(
    cli: Cli & AsyncDisposable,
    control: HeadraceControl,
    clock: HandClock,
    builds: Mutable<AgentBuilds>,
  ) {
    this.builds = builds;
    this.cli = cli;
    this.control = control;
    this.clock = clock;
  }

  /** @param allow what the hosts' fleet lets containers do; nothing unless given */
  static async create(allow: Partial<FleetAllowance> = {}): Promise<PlanStage> {
    const store = new MemoryStore();
    const clock = new HandClock(Date.UTC(2026, 10, 21, 3, 7));
    const fleet = closedFleet("default");
    await store.createProject("main", clock.now(), [
      NEW_PROJECT,
      { ...fleet, settings: { ...fleet.settings, allow: { ...fleet.settings.allow, ...allow } } },
    ]);
    const seal = await createSealer([new Uint8Array(32).fill(7)]);
    const cli = await Cli.create();
    const builds = { ...NO_BUILDS };
    const control = new HeadraceControl({ store, seal, clock, log: () => {}, builds });
    cli.served = control;
    const stage = new PlanStage(cli, control, clock, builds);
    await stage.be("ann");
    return stage;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.control.close();
    await this.cli[Symbol.asyncDispose]();
  }

  /** Who types from now on. */
  async be(name: string): Promise<void> {
    const { token } = await this.control.createToken(
      ADMIN,
      { kind: "admin", name, fleet: "default" },
      crypto.randomUUID(),
    );
    this.cli.env.HEADRACE_TOKEN = token;
  }

  /** @param isThere whether its agent is connected */
  async addHost(name: string, over: Partial<Inventory> = {}, isThere = true): Promise<void> {
    const inventory = { ...INVENTORY, cpus: 64, memoryGib: 1_024, diskGib: 2_000, ...over };
    inventory.address = `10.0.0.${this.hosts.length + 1}`;
    const key = crypto.randomUUID();
    const { token } = await this.control.createToken(ADMIN, { kind: "join", name, fleet: "default" }, key);
    const caller = (await this.control.authenticate(token)) as Caller;
    const credentialHash = createHash("sha256").update(name).digest("hex");
    const joined = { name, machine: `m-${name}`, agentVersion: "0", inventory, credentialHash };
    const { host: id } = await this.control.join(caller, joined);
    if (!isThere) return;
    const host = { id, name, inventory, seq: 0, applied: { version: 0, hash: "" }, jobs: [], unreached: [] };
    this.hosts.push(host);
    await this.sync(host);
  }

  /** From now on a host finds that it does not reach another one on these ports. */
  async cut(from: string, to: string, ports: number[], isWhole: boolean): Promise<void> {
    const [here, there] = [from, to].map((name) => this.hosts.find((host) => host.name === name)) as StagedHost[];
    const { id: host, inventory } = there as StagedHost;
    here?.unreached.push({ host, address: inventory.address, ports, whole: isWhole, why: "no answer in 1 s" });
    await this.sync(here as StagedHost);
  }

  /** A host finds that it reaches the others again. */
  async heal(name: string): Promise<void> {
    const host = this.hosts.find((one) => one.name === name) as StagedHost;
    host.unreached = [];
    await this.sync(host);
  }

  /** Forgets a machine that is no more. */
  loseMachine(name: string): void {
    this.hosts.splice(
      this.hosts.findIndex((host) => host.name === name),
      1,
    );
  }

  /** Every agent does what it is told, and says so. */
  async settle(): Promise<void> {
    for (let round = 0; round < ROUNDS; round += 1) for (const host of this.hosts) await this.sync(host);
  }

  /** Lets pass what a drain takes whose replicas are idle. */
  async finishDrains(): Promise<void> {
    for (let turn = 0; turn < ROUNDS; turn += 1) {
      this.clock.advance(ROUTE_CACHE_MS + 1);
      await this.control.lookAtDue("main");
      await this.settle();
    }
  }

  async setSecret(name: string, value: string): Promise<void> {
    await this.control.setSecret(ADMIN, name, value, crypto.randomUUID());
  }

  /** Writes a file into the folder that the command runs in. */
  async write(file: string, text: string): Promise<void> {
    await writeFile(join(this.cli.home, file), text);
  }

  async apply(file: string): Promise<void> {
    const { code, err } = await this.run("apply", "-f", file, "-y", "-d");
    if (code !== 0) throw new Error(`the apply failed: ${err}`);
    await this.settle();
  }

  /** Runs a command; names of files are those of `write`. */
  async run(...argv: string[]) {
    const { code, out, err } = await this.cli.run(
      ...argv.map((word) => (/\.yml$/.test(word) ? join(this.cli.home, word) : word)),
    );
    const plain = (text: string) => text.replaceAll(`${this.cli.home}/`, "");
    return { code, out: plain(out), err: plain(err) };
  }

  /** What a terminal shows of a command. */
  async shown(...argv: string[]): Promise<string> {
    const { code, out, err } = await this.run(...argv);
    return `$ headrace ${argv.join(" ")}\n${out}${err}${code === 0 ? "" : `(exit code ${code})\n`}`;
  }

  private async sync(host: StagedHost): Promise<void> {
    host.seq += 1;
    const installed = this.installed.get(host.name);
    const isOver = (job: DesiredJob) => job.phase.kind !== "run";
    const answer = await this.control.syncUnlinked(
      "main",
      host.id,
      reportOf({
        agent: {
          version: "0.1.0",
          bootId: "b",
          machine: `m-${host.name}`,
          incarnation: host.id,
          ...(installed && { installed }),
        },
        seq: host.seq,
        applied: host.applied,
        inventory: host.inventory,
        jobs: host.jobs.map((job) => jobReportOf(job, isOver(job) ? { state: "ended" } : {})),
        peers: { tag: "", round: 0, unreached: host.unreached },
        routers: host.jobs
          .filter((job) => job.role === "router")
          .map((job) =>
            routerReportOf(
              job,
              job.workers.map(({ replica }) => replica),
              host.applied.version,
            ),
          ),
      }),
    );
    host.applied = { version: answer.version, hash: answer.hash };
    if (answer.desired !== null) host.jobs = desiredState.parse(answer.desired).jobs;
  }
}
