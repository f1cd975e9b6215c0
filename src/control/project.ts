import type { Effect, Input } from "../core/input.ts";
import { RETURN_AFTER_START_MS } from "../core/limits.ts";
import type { LinkEnd } from "../link/types.ts";
import type { Store } from "../store/types.ts";
import type { Clock } from "./clock.ts";
import { Controller } from "./controller.ts";
import type { Log } from "./log.ts";

/** A host with jobs that was last heard of this long ago is silent. */
const SILENT_AFTER_MS = 10_000;
/** And that, once its link has ended, had this long to open another; that takes an agent about a second. */
const RECONNECT_MS = 5_000;

/** What one project has in this process: its controller, the links of its hosts, and who follows its commits. */
export class Project {
  readonly name: string;
  readonly controller: Controller;
  private readonly clock: Clock;
  private readonly log: Log;
  private readonly links = new Map<string, LinkEnd>();
  private readonly waking = new Set<string>();
  private readonly silence = new Map<string, () => void>();
  private readonly listeners = new Set<() => void>();
  private readonly invalidated: ((host: string | null) => void)[] = [];
  private watchesAll = false;
  private isClosed = false;

  constructor(options: { name: string; store: Store; clock: Clock; newId(): string; log: Log }) {
    this.name = options.name;
    this.clock = options.clock;
    this.log = options.log;
    this.controller = new Controller({
      project: options.name,
      store: options.store,
      clock: options.clock,
      newId: options.newId,
      present: () => this.links.keys(),
      runEffect: (effect) => this.runEffect(effect),
      committed: (_version, reloaded) => this.committed(reloaded),
      failed: (error) => options.log("error", "a decision could not be made or written", { error: String(error) }),
    });
  }

  /** Set once the process gives the project up. */
  get closed(): boolean {
    return this.isClosed;
  }

  link(host: string): LinkEnd | null {
    return this.links.get(host) ?? null;
  }

  linkOpened(host: string, link: LinkEnd): void {
    this.links.get(host)?.close("another link of the same host took its place");
    this.links.set(host, link);
    this.silence.get(host)?.();
    this.silence.delete(host);
    this.tell(host, true);
  }

  /** @param silentMs for how long nothing had come over the link when it ended */
  linkClosed(host: string, link: LinkEnd, silentMs: number): void {
    if (this.links.get(host) !== link) return;
    this.links.delete(host);
    this.tell(host, false);
    const now = this.clock.now();
    const heardAt = now - silentMs;
    this.expect(host, heardAt, Math.max(heardAt + SILENT_AFTER_MS, now + RECONNECT_MS));
  }

  /** An operator removed a host: its link goes, and what was observed of it. */
  async hostRemoved(host: string): Promise<void> {
    const state = await this.controller.state();
    state.present.delete(host);
    state.observed.delete(host);
    this.silence.get(host)?.();
    this.silence.delete(host);
    const link = this.links.get(host);
    this.links.delete(host);
    link?.close("the host was removed from its project");
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
    for (const cancel of this.silence.values()) cancel();
    this.silence.clear();
    for (const link of this.links.values()) link.close("the server is shutting down");
    this.links.clear();
    for (const listener of this.listeners) listener();
  }

  private committed(reloaded: boolean): void {
    if (reloaded) {
      for (const listener of this.invalidated) listener(null);
      this.expectHosts();
    }
    for (const listener of this.listeners) listener();
  }

  /** Gives the hosts that run something time to come back after this process, or its state, is new. */
  private expectHosts(): void {
    if (this.watchesAll) return;
    this.watchesAll = true;
    const hosts = new Set([...(this.controller.current?.tables.job.byId.values() ?? [])].map((job) => job.host));
    const now = this.clock.now();
    for (const host of hosts) if (!this.links.has(host)) this.expect(host, now, now + RETURN_AFTER_START_MS);
  }

  /** Calls a host silent at `moment` unless it is back by then. */
  private expect(host: string, heardAt: number, moment: number): void {
    this.silence.get(host)?.();
    const cancel = this.clock.at(moment, () => {
      this.silence.delete(host);
      if (this.links.has(host)) return;
      this.submit({ kind: "host_silent", host, since: heardAt }, `host/${host}`);
    });
    this.silence.set(host, cancel);
  }

  private tell(host: string, present: boolean): void {
    const told = this.controller.state().then((state) => {
      if (!present) return void state.present.delete(host);
      state.present.add(host);
      this.submit({ kind: "host_present", host }, `host/${host}`);
    });
    // The state cannot be read now; when it can, it is read with whoever is linked by then.
    told.catch((error) => this.log("warn", "a host's presence was not taken in", { host, error: String(error) }));
  }

  private submit(input: Extract<Input, { kind: "host_silent" | "host_present" }>, actor: string): void {
    this.controller.submit({ input, id: null, cause: input.kind, actor }).catch((error) => {
      this.log("warn", "a change of a host's presence was not taken in", { host: input.host, error: String(error) });
    });
  }

  private runEffect(effect: Effect): void {
    for (const listener of this.invalidated) listener(effect.host);
    const link = this.links.get(effect.host);
    // One wake-up under way is enough: the sync that it causes reads what is committed by then.
    if (!link || this.waking.has(effect.host)) return;
    this.waking.add(effect.host);
    link
      .request({ kind: "wake" })
      .catch(() => {
        // A host that was not reached syncs by itself when its link is back.
      })
      .finally(() => this.waking.delete(effect.host));
  }
}
