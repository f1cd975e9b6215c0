import type { AgentBuilds } from "../core/hosts/agent-builds.ts";
import { peersFor } from "../core/hosts/peer-list.ts";
import type { Effect, Input } from "../core/input.ts";
import { RETURN_AFTER_START_MS } from "../core/limits.ts";
import type { ProjectState } from "../core/project-state.ts";
import type { Store } from "../store/types.ts";
import type { PeersReport } from "../wire/index.ts";
import type { Clock } from "./clock.ts";
import { Controller } from "./controller.ts";
import type { FarHosts } from "./hosts/far-hosts.ts";
import { Presence } from "./hosts/presence.ts";
import type { Log } from "./log.ts";

/** Hosts that were asked what they run have said it after this long, or are not waited for. */
const HEARD_WITHIN_MS = 5_000;

/** A host counts as new for so long: after that its link opens again for other reasons. */
const JUST_JOINED_MS = 5 * 60_000;

/** Hosts that hear of a new one at once: more than one, since one may be cut off itself. */
const WITNESSES_MAX = 4;

const NO_PEERS: PeersReport = { tag: "", round: 0, unreached: [] };

/** What one project has in this process: its controller, its hosts as they are heard, and who follows its commits. */
export class Project {
  readonly name: string;
  readonly controller: Controller;
  readonly presence: Presence;
  private readonly clock: Clock;
  private readonly log: Log;
  private readonly far: FarHosts | null;
  private readonly waking = new Set<string>();
  /** Hosts that are here and were asked to say anew what they run. */
  private readonly asked = new Set<string>();
  private askedAt = 0;
  private readonly answered = Promise.withResolvers<void>();
  private readonly listeners = new Set<() => void>();
  private readonly invalidated: ((host: string | null) => void)[] = [];
  private readonly removals: ((host: string) => void)[] = [];
  private watchesAll = false;
  private wasOvertaken = false;
  private readonly builds: AgentBuilds;
  private hasSaidBuild = false;
  private isClosed = false;

  /** @param options.far where links do not end in this process; else null */
  constructor(options: {
    name: string;
    store: Store;
    clock: Clock;
    newId(): string;
    log: Log;
    builds: AgentBuilds;
    far: FarHosts | null;
    /** The moment up to which all that the project's hosts have sent was read; now, unless given. */
    heardUpTo?: () => number;
  }) {
    this.name = options.name;
    this.clock = options.clock;
    this.log = options.log;
    this.far = options.far;
    this.builds = options.builds;
    const heardUpTo = options.heardUpTo ?? (() => options.clock.now());
    this.presence = new Presence({
      clock: options.clock,
      heardUpTo,
      changed: (host, present) => this.tell(host, present),
      silent: (host, since) => this.submit({ kind: "host_silent", host, since }, `host/${host}`),
    });
    this.controller = new Controller({
      project: options.name,
      store: options.store,
      clock: options.clock,
      newId: options.newId,
      builds: options.builds,
      present: () => this.presence.here(),
      heardUpTo,
      listeningSince: () => options.far?.listeningSince() ?? options.clock.now(),
      runEffect: (effect) => this.runEffect(effect),
      committed: (_version, reloaded) => this.committed(reloaded),
      overtaken: () => this.overtaken(),
      failed: (error) => options.log("error", "a decision could not be made or written", { error: String(error) }),
    });
    for (const { host, link } of options.far?.here() ?? []) this.presence.wasHere(host, link);
    for (const { host, at, silentMs } of options.far?.gone() ?? []) this.presence.wentAt(host, at, silentMs);
  }

  /** Set once the process gives the project up. */
  get closed(): boolean {
    return this.isClosed;
  }

  /**
   * Waits until the hosts that were here before this controller was have said what they run: until then nothing can be
   * placed on them. Not for long, since one may have gone without a word.
   */
  async heard(): Promise<void> {
    await this.controller.state();
    const leftMs = this.askedAt + HEARD_WITHIN_MS - this.clock.now();
    if (this.asked.size > 0 && leftMs > 0) await Promise.race([this.answered.promise, this.clock.sleep(leftMs)]);
  }

  /** A host has said what it runs, or is not asked any more. */
  heardOf(host: string): void {
    if (this.asked.delete(host) && this.asked.size === 0) this.answered.resolve();
  }

  /** A host was removed: its link goes, and what was observed of it. */
  async hostRemoved(host: string): Promise<void> {
    const state = await this.controller.state();
    state.present.delete(host);
    state.observed.delete(host);
    this.presence.forget(host);
    this.heardOf(host);
    for (const listener of this.removals) listener(host);
  }

  /** Calls `listener` when a host was removed: nothing of it is to be remembered. */
  onHostRemoved(listener: (host: string) => void): void {
    this.removals.push(listener);
  }

  /** Calls `listener` after each commit. @returns stops that */
  onCommit(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Calls `listener` when what a host shall run may be another thing; null = of every host. */
  onHostChanged(listener: (host: string | null) => void): void {
    this.invalidated.push(listener);
  }

  close(): void {
    this.isClosed = true;
    this.controller.close();
    this.presence.close();
    for (const listener of this.listeners) listener();
  }

  /** Said once: two servers on one database overtake each other all the time. */
  private overtaken(): void {
    if (this.wasOvertaken) return;
    this.wasOvertaken = true;
    const message = "another server writes to this project too; nothing is lost, but run one server on a database";
    this.log("warn", message, { project: this.name });
  }

  private committed(reloaded: boolean): void {
    if (reloaded) {
      for (const listener of this.invalidated) listener(null);
      this.expectHosts();
    }
    this.sayBuild();
    for (const listener of this.listeners) listener();
  }

  /** Gives the hosts that run something time to come back after this process, or its state, is new. */
  private expectHosts(): void {
    const state = this.controller.current;
    if (this.watchesAll || !state) return;
    this.watchesAll = true;
    const hosts = new Set([...state.tables.job.byId.values()].map((job) => job.host));
    this.presence.expectBack(hosts, state.listeningSince, RETURN_AFTER_START_MS);
    if (!this.far) return;
    // Elsewhere it is remembered what a host said last, and what it repeats goes no further: it is asked to say it anew.
    for (const host of this.presence.here()) if (!state.observed.has(host)) this.asked.add(host);
    this.askedAt = this.clock.now();
    for (const host of new Set([...hosts, ...this.presence.here()])) this.far.wake(host);
  }

  /**
   * Says once in the life of this process which build of the agent it gives out, if that is another one than is known.
   * Should another server say so later it is left at that.
   */
  private sayBuild(): void {
    const { server: build } = this.builds;
    const state = this.controller.current;
    if (this.hasSaidBuild || build === null || !state) return;
    this.hasSaidBuild = true;
    if (state.tables.project.byId.get("project")?.agentBuild === build) return;
    const input = { kind: "agent_given_out", build } as const;
    this.controller.submit({ input, id: null, cause: "start", actor: "controller" }).catch((error) => {
      // With the next commit, or when the state is read again.
      this.hasSaidBuild = false;
      this.log("warn", "that there is another build of the agent was not taken in", { error: String(error) });
    });
  }

  private tell(host: string, present: boolean): void {
    if (!present) this.heardOf(host);
    const told = this.controller.state().then((state) => {
      if (!present) return void state.present.delete(host);
      state.present.add(host);
      this.submit({ kind: "host_present", host }, `host/${host}`);
      this.haveTried(state, host);
    });
    // The state cannot be read now; when it can, it is read with whoever is linked by then.
    told.catch((error) => this.log("warn", "a host's presence was not taken in", { host, error: String(error) }));
  }

  /**
   * A few others hear at once of a host that has just joined, and try it: the rest learn of it when they sync. A firewall
   * that lets nothing in is the commonest thing that is wrong with a new host, and it does not see that itself.
   */
  private haveTried(state: ProjectState, id: string): void {
    const host = state.tables.host.byId.get(id);
    if (!host || this.clock.now() - host.joinedAt > JUST_JOINED_MS) return;
    for (const peer of peersFor(state, host, NO_PEERS).hosts.slice(0, WITNESSES_MAX)) this.wake(peer.host);
  }

  private submit(input: Extract<Input, { kind: "host_silent" | "host_present" }>, actor: string): void {
    this.controller.submit({ input, id: null, cause: input.kind, actor }).catch((error) => {
      this.log("warn", "a change of a host's presence was not taken in", { host: input.host, error: String(error) });
    });
  }

  private runEffect(effect: Effect): void {
    for (const listener of this.invalidated) listener(effect.host);
    this.wake(effect.host);
  }

  private wake(host: string): void {
    if (this.far) {
      this.far.wake(host);
      return;
    }
    const link = this.presence.link(host);
    // One wake-up under way is enough: the sync that it causes reads what is committed by then.
    if (!link || this.waking.has(host)) return;
    this.waking.add(host);
    link
      .request({ kind: "wake" })
      .catch(() => {
        // A host that was not reached syncs by itself when its link is back; one without a link, when it said it would.
      })
      .finally(() => this.waking.delete(host));
  }
}
