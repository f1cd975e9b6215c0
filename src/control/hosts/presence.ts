import type { LinkEnd } from "../../link/types.ts";
import type { Clock } from "../clock.ts";
import { fewOf, HostNews } from "./host-news.ts";

/** Why the link of such a host ends, as its agent is told. */
export const HOST_REMOVED = "the host was removed from its project";

/** A host with jobs that was last heard of this long ago, or this long after it promised to sync, is silent. */
const SILENT_AFTER_MS = 10_000;
/** And that, once its link has ended, had this long to open another; that takes an agent about a second. */
const RECONNECT_MS = 5_000;
/** How long the answer to a sync may be in the making; after it the host waits for the time that the answer stated. */
const ANSWER_MS_MAX = 30_000;

/** Hosts whose news one request waits for. */
const AWAITED_MAX = 32;

/** A server that is behind looks again no sooner. */
const LOOK_AGAIN_MS = 1_000;

interface PresenceParts {
  clock: Clock;
  /** The moment up to which all that the hosts have sent was read. */
  heardUpTo(): number;
  /** A host is there that was not, or is not there any more. */
  changed(host: string, present: boolean): void;
  /** Nothing was heard of a host since then, and it is not expected any more. */
  silent(host: string, since: number): void;
}

/**
 * Which hosts of a project are there: those that have a link, and those without one whose syncs come as promised. A host
 * is told of once when it comes and once when it goes, whichever way it is heard.
 */
export class Presence {
  private readonly parts: PresenceParts;
  private readonly links = new Map<string, LinkEnd>();
  /** Hosts that sync without a link. */
  private readonly unlinked = new Set<string>();
  /** Hosts without a link that are expected to be heard of; each cancels the waiting. */
  private readonly expected = new Map<string, () => void>();

  /** For those who wait for a host's link. */
  private readonly news = new HostNews();
  private waits = 0;

  /** Hosts that were called silent and have reported nothing since. */
  private readonly silenced = new Set<string>();

  constructor(parts: PresenceParts) {
    this.parts = parts;
  }

  link(host: string): LinkEnd | null {
    return this.links.get(host) ?? null;
  }

  /**
   * Waits for the link of one of these hosts, for as long as one is expected back: one that was lost, or that has not
   * come since this process began, until its host is called silent.
   * @returns whether one is there
   */
  async linkBack(hosts: string[], signal: AbortSignal): Promise<boolean> {
    // Each turn is the news of one of them, and ends with the last that is expected.
    for (;;) {
      if (hosts.some((host) => this.links.has(host))) return true;
      const expected = hosts.filter((host) => this.expected.has(host) && !this.unlinked.has(host));
      if (expected.length === 0 || signal.aborted) return false;
      this.waits += 1;
      await this.news.of(fewOf(expected, AWAITED_MAX, this.waits), signal);
    }
  }

  /** The hosts that are there now. */
  here(): Iterable<string> {
    return [...this.links.keys(), ...this.unlinked];
  }

  /** Whether a host is there and nothing can be sent to it: it only asks. */
  isUnlinked(host: string): boolean {
    return this.unlinked.has(host);
  }

  /** Whether a host was called silent, which may not be committed yet, and has reported nothing since. */
  isCalledSilent(host: string): boolean {
    return this.silenced.has(host);
  }

  /** What a host says was taken in. */
  reported(host: string): void {
    this.silenced.delete(host);
  }

  linkOpened(host: string, link: LinkEnd): void {
    const before = this.links.get(host);
    if (before !== link) before?.close("another link of the same host took its place");
    this.links.set(host, link);
    this.unlinked.delete(host);
    this.expectNoMore(host);
    this.parts.changed(host, true);
  }

  /** @param silentMs for how long nothing had come over the link when it ended */
  linkClosed(host: string, link: LinkEnd, silentMs: number): void {
    if (this.links.get(host) !== link) return;
    this.links.delete(host);
    this.parts.changed(host, false);
    this.wentAt(host, this.parts.clock.now(), silentMs);
  }

  /** A host went at that moment, perhaps before this process was. Nobody is told until it is silent. */
  wentAt(host: string, at: number, silentMs: number): void {
    const heardAt = at - silentMs;
    this.expect(host, heardAt, Math.max(heardAt + SILENT_AFTER_MS, at + RECONNECT_MS));
  }

  /** A sync came by a request of its own, and will be answered. */
  asked(host: string): void {
    if (this.links.has(host)) return;
    if (!this.unlinked.has(host)) {
      this.unlinked.add(host);
      this.parts.changed(host, true);
    }
    this.promised(host, ANSWER_MS_MAX);
  }

  /** Such a sync was answered, and the host told to come back after this long. */
  promised(host: string, withinMs: number): void {
    if (!this.unlinked.has(host)) return;
    const now = this.parts.clock.now();
    this.expect(host, now, now + withinMs + SILENT_AFTER_MS);
  }

  /** Hosts that were there before they were listened to: each has so long from then to come back. */
  expectBack(hosts: Iterable<string>, listeningSince: number, withinMs: number): void {
    for (const host of hosts) {
      if (this.links.has(host) || this.unlinked.has(host) || this.expected.has(host)) continue;
      this.expect(host, listeningSince, listeningSince + withinMs);
    }
  }

  /** A host that was there before this process was, and is watched where its link ends. Nobody is told. */
  wasHere(host: string, link: LinkEnd | null): void {
    if (link) this.links.set(host, link);
    else this.unlinked.add(host);
  }

  /** A host that syncs without a link is there, and is watched elsewhere: until `unlinkedGone`. */
  unlinkedHere(host: string): void {
    if (this.links.has(host)) return;
    this.expectNoMore(host);
    if (this.unlinked.has(host)) return;
    this.unlinked.add(host);
    this.parts.changed(host, true);
  }

  /** @param silentMs for how long it was not heard of */
  unlinkedGone(host: string, silentMs: number): void {
    if (!this.unlinked.delete(host)) return;
    this.parts.changed(host, false);
    this.callSilent(host, this.parts.clock.now() - silentMs);
  }

  /** A host that was removed: nobody waits for it. */
  forget(host: string): void {
    this.expectNoMore(host);
    this.silenced.delete(host);
    this.unlinked.delete(host);
    const link = this.links.get(host);
    this.links.delete(host);
    link?.close(HOST_REMOVED);
  }

  close(): void {
    for (const host of [...this.expected.keys()]) this.expectNoMore(host);
    this.unlinked.clear();
    // None counts any more when its end is told, or its host would be waited for, by a timer that keeps the process up.
    const links = [...this.links.values()];
    this.links.clear();
    for (const link of links) link.close("the server is shutting down");
  }

  /**
   * Calls a host silent at `moment` unless it is heard of by then. What was sent by then may still wait to be read, and be
   * the host's: a server that is behind calls nobody silent before it has caught up to there.
   */
  private expect(host: string, heardAt: number, moment: number, lookAt = moment): void {
    this.expectNoMore(host);
    const cancel = this.parts.clock.at(lookAt, () => {
      const behindMs = moment - this.parts.heardUpTo();
      if (behindMs > 0) {
        this.expect(host, heardAt, moment, this.parts.clock.now() + Math.max(behindMs, LOOK_AGAIN_MS));
        return;
      }
      this.expected.delete(host);
      this.news.tell(host);
      if (this.unlinked.delete(host)) this.parts.changed(host, false);
      this.callSilent(host, heardAt);
    });
    this.expected.set(host, cancel);
  }

  private callSilent(host: string, since: number): void {
    this.silenced.add(host);
    this.parts.silent(host, since);
  }

  private expectNoMore(host: string): void {
    this.expected.get(host)?.();
    this.expected.delete(host);
    this.news.tell(host);
  }
}
