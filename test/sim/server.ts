import { createHash } from "node:crypto";
import type { Clock } from "../../src/control/clock.ts";
import { HeadraceControl } from "../../src/control/control.ts";
import { HOST_REMOVED } from "../../src/control/hosts/presence.ts";
import { hostCaller } from "../../src/control/tokens/callers.ts";
import { type Caller, ControlError } from "../../src/control/types.ts";
import { Directory } from "../../src/proxy/directory.ts";
import type { Report, SyncAnswer } from "../../src/wire/index.ts";
import { KnownWays } from "./known-ways.ts";
import type { SimLink } from "./link.ts";
import type { Machine, MachineSpec } from "./machine.ts";
import { Reading } from "./reading.ts";
import { simSealer } from "./sealer.ts";
import { serverStore } from "./server-store.ts";
import type { Cancel } from "./timeline.ts";
import type { World } from "./world.ts";

/** One process of the control plane: the real `control`, with a clock, a database and links of its own. */
export class Server {
  readonly world: World;
  readonly name: string;
  readonly control: HeadraceControl;
  readonly directory: Directory;
  /** Projects of which it has said which build of the agent it gives out. */
  readonly hasSaidBuild = new Set<string>();
  readonly reading: Reading;
  private alive = true;
  private readonly clockOffsetMs: number;
  private readonly ways = new KnownWays();
  private readonly links = new Set<SimLink>();
  private readonly timers = new Set<Cancel>();

  constructor(world: World, name: string, clockOffsetMs: number) {
    this.world = world;
    this.name = name;
    this.clockOffsetMs = clockOffsetMs;
    const clock = this.clock();
    this.reading = new Reading(world, clock);
    this.control = new HeadraceControl({
      store: serverStore(this),
      builds: world.releases.builds,
      seal: simSealer,
      clock,
      log: (level, message, fields) => world.logged(this, level, message, fields ?? {}),
      newId: () => `${name}-${world.nextSerial()}`,
      digest: async (text) => createHash("sha256").update(text).digest("hex"),
      heardUpTo: (project) => this.reading.turns.heardUpTo(project),
    });
    this.directory = new Directory(this.control, () => world.timeline.now);
    world.timeline.awaits();
    // As in src/node.ts: a server that cannot read its projects ends, and is started again.
    this.control.start().catch(() => this.crash());
  }

  get isAlive(): boolean {
    return this.alive;
  }

  /** The process ends at once: nothing of it goes on, but what it has sent is on its way. */
  crash(): void {
    if (!this.alive) return;
    this.alive = false;
    this.world.note(this.name, "crashed");
    for (const cancel of this.timers) cancel();
    this.timers.clear();
    for (const link of this.links) link.serverVanished();
    this.links.clear();
    this.world.serverEnded(this);
  }

  /** @param signal aborts when nobody waits for the answer any more */
  async sync(link: SimLink, report: Report, signal: AbortSignal): Promise<SyncAnswer> {
    const { project, host } = link.agent.machine.spec;
    const answer = await this.reading.read(project, report, signal, (waitedMs) =>
      this.takeIn(project, host, report, waitedMs).catch((error) => {
        // As in src/control/hosts/host-requests.ts.
        if (error instanceof ControlError && error.code === "not_found") link.close(HOST_REMOVED);
        throw error;
      }),
    );
    this.answered(link);
    return answer;
  }

  /** A link counts from its first report that is taken in, as in src/node/agent-links.ts. */
  private answered(link: SimLink): void {
    if (!this.links.has(link) || link.countsSince !== null) return;
    link.countsSince = this.world.timeline.now;
    const { project, host } = link.agent.machine.spec;
    this.control.linkOpened(project, host, link);
  }

  private async takeIn(project: string, host: string, report: Report, waitedMs: number): Promise<SyncAnswer> {
    const heard = this.ways.hears(`${project}/${host}`, report);
    try {
      const answer = await this.control.sync(project, host, report, waitedMs);
      heard(true);
      return answer;
    } catch (error) {
      heard(false);
      this.world.coverage.saw("sync refused", error instanceof ControlError ? error.code : "failed");
      throw error;
    }
  }

  /** Whether it knows that one host, which is here, does not reach another one that is. */
  knowsCut(project: string, from: string, to: string): boolean {
    const areHere = [from, to].every((host) => this.linkOf(project, host)?.isSettled);
    return areHere && this.ways.isCut(`${project}/${from}`, to);
  }

  /** Whether an agent that dials is let in: its credential is one of a host's, and of no other than it says. */
  async admits({ host, project, credential }: MachineSpec): Promise<boolean> {
    // To accept a connection takes its time too.
    await this.clock().sleep(this.world.faults.readingMs);
    const caller = await hostCaller(this.control, `Bearer ${credential}`);
    if (caller === null) this.world.coverage.saw("link", "refused");
    return caller?.subject === host && caller.project === project;
  }

  /** Of a host's links that do not count the newest stays, as in src/node/agent-links.ts. */
  linkOpened(link: SimLink): void {
    const { project, host } = link.agent.machine.spec;
    for (const other of [...this.links]) {
      const { spec } = other.agent.machine;
      const isItsOwn = spec.project === project && spec.host === host;
      if (isItsOwn && other.countsSince === null) other.close("another link of the same host took its place");
    }
    this.links.add(link);
    this.world.note(this.name, `link of ${link.agent.machine.name} opened`);
  }

  /** The link that the control plane uses for a host: the last one that counts. */
  linkOf(project: string, host: string): SimLink | null {
    const isIts = (link: SimLink) => {
      const { spec } = link.agent.machine;
      return spec.project === project && spec.host === host && link.countsSince !== null;
    };
    return [...this.links].findLast(isIts) ?? null;
  }

  /** @param silentMs for how long nothing had come over it */
  linkClosed(link: SimLink, silentMs: number): void {
    if (!this.links.delete(link) || !this.alive) return;
    const { project, host } = link.agent.machine.spec;
    this.world.note(this.name, `link of ${link.agent.machine.name} closed`);
    this.control.linkClosed(project, host, link, silentMs);
  }

  /** Links end, and nothing else does; all of them unless `which` says otherwise. */
  cutLinks(which: (machine: Machine) => boolean = () => true): void {
    this.world.timeline.awaits();
    for (const link of [...this.links]) if (which(link.agent.machine)) link.close("cut on the way");
  }

  caller(project: string): Caller {
    return { credentialId: "user", project, kind: "admin", name: "user", subject: null };
  }

  private clock(): Clock {
    const { timeline } = this.world;
    const after = (ms: number, action: () => void): Cancel => {
      const cancel = timeline.after(ms, () => {
        this.timers.delete(cancel);
        timeline.awaits();
        action();
      });
      this.timers.add(cancel);
      return () => {
        this.timers.delete(cancel);
        cancel();
      };
    };
    return {
      now: () => timeline.now + this.clockOffsetMs,
      sleep: (ms) => new Promise((resolve) => after(ms, resolve)),
      at: (moment, action) => after(moment - this.clockOffsetMs - timeline.now, action),
      turn: () => Promise.resolve(),
    };
  }
}
