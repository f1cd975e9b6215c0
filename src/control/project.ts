import type { Effect } from "../core/input.ts";
import type { LinkEnd } from "../link/types.ts";
import type { Store } from "../store/types.ts";
import type { Clock } from "./clock.ts";
import { Controller } from "./controller.ts";
import type { Log } from "./log.ts";

/** A host with jobs that has no link for this long is silent; reconnecting takes about a second. */
const SILENT_AFTER_MS = 10_000;
/** After the controller started, its hosts have this long to come back: agents wait up to 30 s between attempts. */
const SILENT_AFTER_START_MS = 45_000;

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
    void this.tell(host, true);
  }

  linkClosed(host: string, link: LinkEnd): void {
    if (this.links.get(host) !== link) return;
    this.links.delete(host);
    void this.tell(host, false);
    this.expect(host, SILENT_AFTER_MS);
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
    for (const host of hosts) if (!this.links.has(host)) this.expect(host, SILENT_AFTER_START_MS);
  }

  private expect(host: string, withinMs: number): void {
    this.silence.get(host)?.();
    const cancel = this.clock.at(this.clock.now() + withinMs, () => {
      this.silence.delete(host);
      if (this.links.has(host)) return;
      this.submit({ kind: "host_silent", host }, `host/${host}`);
    });
    this.silence.set(host, cancel);
  }

  private async tell(host: string, present: boolean): Promise<void> {
    const state = await this.controller.state();
    if (!present) {
      state.present.delete(host);
      return;
    }
    state.present.add(host);
    this.submit({ kind: "host_present", host }, `host/${host}`);
  }

  private submit(input: { kind: "host_silent" | "host_present"; host: string }, actor: string): void {
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
