import { type Digest, sha256Hex } from "../control/digest.ts";
import { HostNews } from "../control/hosts/host-news.ts";
import { serveHost } from "../control/hosts/host-requests.ts";
import { HOST_REMOVED } from "../control/hosts/presence.ts";
import { ReportPace } from "../control/hosts/report-pace.ts";
import type { Log } from "../control/log.ts";
import { LinkError } from "../link/errors.ts";
import { Link } from "../link/link.ts";
import type { LinkBody, ReceivedAnswer } from "../link/types.ts";
import { HOST_REQUESTS_MAX } from "../proxy/limits.ts";
import type { Report, SyncAnswer } from "../wire/index.ts";
import type { HostName } from "./env.ts";
import { accepted } from "./outcome.ts";
import type { DurableState, EdgeSocket } from "./platform.ts";
import type { Outcome, ProjectStub } from "./stubs.ts";

/** A link over which nothing came for this long is dead: three pings went unanswered. */
const SILENT_LINK_MS = 15_000;
/** A host without a link that promised to come back is silent so long after that. */
const SILENT_REQUESTS_MS = 10_000;
/** What the project could not be told is told again after this. */
const TELL_AGAIN_MS = 1_000;
/** An answer that asks for the next sync this soon, or sooner, is one to a host that runs something. */
const BUSY_SYNC_MS = 10_000;
/** An agent whose link was lost dials again within a second; one that is not back after this is not waited for. */
const RETURN_MS = 10_000;
/** Ids of streams that are set aside at a time, so that a link which is remembered by its socket alone repeats none. */
const STREAMS_SET_ASIDE = 256;
/** Normal closure. */
const CLOSE_CODE = 1000;
const CLOSE_REASON_CHARS_MAX = 120;

/** What a socket carries across the sleep of its object. */
interface Attachment {
  /** Whether a report that came over it was taken in. */
  counts: boolean;
  /** The last stream of ours that may have been opened on it. */
  lastOwnStream: number;
  openedAt: number;
}

/** What was answered to the last report, if it left nothing to be said. */
interface Answered {
  digest: string;
  answer: SyncAnswer;
  /** Which deployment answered. Another one may have something else to say to the same, such as a build of the agent. */
  deployment: string;
}

/** How the host is there, as the project was told last. */
type Here = "linked" | "unlinked" | "gone";

interface LifeParts {
  host: HostName;
  ctx: DurableState;
  project(): ProjectStub;
  /** Which deployment of the Worker this is. */
  deployment: string;
  now(): number;
  log: Log;
  digest?: Digest;
}

/**
 * One life of the object in which a host's link ends. It answers a report that has no news by itself, watches whether
 * the host is heard of, and tells the project when that changes. What it must know after its sleep is in its storage
 * and on its sockets; never a desired state, which can hold secrets.
 */
export class LinkLife {
  readonly #parts: LifeParts;
  readonly #links = new Map<EdgeSocket, { link: Link; opened: number }>();
  readonly #pace: ReportPace;
  /** Rises with every wake-up: an answer from before one is not to be repeated. */
  #generation = 0;
  /** When something else than a ping came last; null: not in this life. */
  #heardAt: number | null = null;
  /** When a host without a link said that it would be back. */
  #promisedAt = 0;
  #telling: Promise<void> | null = null;
  /** When the alarm rings, as far as this life has set it. */
  #ringsAt = Number.POSITIVE_INFINITY;
  readonly #closed = new WeakSet<EdgeSocket>();
  /** When the link was lost; null: there is one, or there was none. */
  #lostAt: number | null = null;
  readonly #news = new HostNews();
  /** Requests that wait for it: no more than it carries when it comes. */
  #waits = 0;
  #isForgotten = false;

  constructor(parts: LifeParts) {
    this.#parts = parts;
    this.#pace = new ReportPace(parts.now);
    // A deployment ends every link together with the life that knew of it.
    if (this.#told() === "linked" && this.#here() === "gone") this.#lostAt = parts.now();
  }

  /** Takes a socket over. It counts from its first report that is taken in; of those that do not, the newest stays. */
  opened(socket: EdgeSocket): void {
    for (const other of this.#sockets()) {
      if (!attachmentOf(other).counts) this.#close(other, "another link of the same host took its place");
    }
    this.#parts.ctx.acceptWebSocket(socket, []);
    const openedAt = this.#parts.now();
    socket.serializeAttachment({ counts: false, lastOwnStream: 0, openedAt } satisfies Attachment);
  }

  received(socket: EdgeSocket, message: ArrayBuffer | string): void {
    this.#heardAt = this.#parts.now();
    const { link } = this.#linkOn(socket);
    if (typeof message === "string") link.close("the other end of the link sent text");
    else link.receive(new Uint8Array(message));
  }

  closed(socket: EdgeSocket, reason: string): void {
    this.#close(socket, reason);
  }

  /** @throws LinkError */
  request(open: unknown, body: LinkBody, signal: AbortSignal | undefined): Promise<ReceivedAnswer> {
    const socket = this.#counted();
    if (!socket) throw new LinkError("closed", "the host is not connected", false);
    const entry = this.#linkOn(socket);
    if (entry.opened % STREAMS_SET_ASIDE === 0) {
      const attachment = attachmentOf(socket);
      const lastOwnStream = attachment.lastOwnStream + 2 * STREAMS_SET_ASIDE;
      socket.serializeAttachment({ ...attachment, lastOwnStream } satisfies Attachment);
    }
    entry.opened += 1;
    return entry.link.request(open, body, signal);
  }

  get isLinked(): boolean {
    return this.#counted() !== null;
  }

  /**
   * Waits for a link that was lost a moment ago.
   * @returns whether there is one; false at once where none is expected
   */
  async linkBack(signal: AbortSignal): Promise<boolean> {
    // Each turn is a link that came or ended.
    while (!this.isLinked) {
      const leftMs = (this.#lostAt ?? Number.NEGATIVE_INFINITY) + RETURN_MS - this.#parts.now();
      const isExpected = leftMs > 0 && this.#here() === "gone" && !this.#isForgotten;
      if (!isExpected || signal.aborted || this.#waits >= HOST_REQUESTS_MAX) return false;
      this.#waits += 1;
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(), leftMs);
      await this.#news.of([this.#parts.host.host], AbortSignal.any([signal, late.signal]));
      clearTimeout(timer);
      this.#waits -= 1;
    }
    return true;
  }

  async wake(): Promise<void> {
    this.#generation += 1;
    this.#parts.ctx.storage.kv.delete("answered");
    this.#setBusy(true);
    if (!this.#counted()) {
      // A socket can end without a word, as where the platform itself was restarted; whoever calls the host must know.
      if (this.#here() !== this.#told()) this.#tell(0);
      await this.#telling;
      return;
    }
    await this.#watch();
    // Not awaited: the agent answers in its own time, and one that does not is found by the watch.
    this.request({ kind: "wake" }, null, undefined).catch(() => undefined);
  }

  /** A report that came by a request of its own. @throws ControlError */
  async syncUnlinked(report: Report): Promise<SyncAnswer> {
    const answer = await this.#sync(report, false);
    if (this.#isForgotten) return answer;
    this.#promisedAt = this.#parts.now() + answer.nextSyncInMs;
    if (!this.#counted()) {
      const { kv } = this.#parts.ctx.storage;
      if (!kv.get<boolean>("unlinked")) kv.put("unlinked", true);
      this.#news.tell(this.#parts.host.host);
      this.#tell(0);
      await this.#watch();
    }
    return answer;
  }

  /** The alarm rang: looks whether the host is still heard of. */
  async look(): Promise<void> {
    this.#ringsAt = Number.POSITIVE_INFINITY;
    const { kv } = this.#parts.ctx.storage;
    const socket = this.#counted();
    if (socket && this.#silentMs(socket) >= SILENT_LINK_MS) {
      this.#close(socket, `nothing came over the link for ${SILENT_LINK_MS / 1_000} s`);
    }
    const isUnlinked = kv.get<boolean>("unlinked") === true;
    const heardAt = this.#heardUnlinkedAt();
    if (isUnlinked && this.#parts.now() >= Math.max(this.#promisedAt, heardAt) + SILENT_REQUESTS_MS) {
      kv.delete("unlinked");
      this.#tell(this.#parts.now() - heardAt);
    }
    await this.#telling;
    if (this.#here() !== this.#told()) this.#tell(this.#parts.now() - heardAt);
    await this.#telling;
    const goesOn = kv.get<boolean>("unlinked") === true || (this.#counted() !== null && this.#isBusy());
    if (this.#here() !== this.#told()) await this.#ring(TELL_AGAIN_MS);
    else if (goesOn) await this.#ring(this.#silentInMs());
    else kv.delete("watched");
  }

  /** The host was removed by its project, which is told nothing any more. */
  forget(reason: string): void {
    this.#isForgotten = true;
    this.#news.tell(this.#parts.host.host);
    for (const socket of this.#sockets()) this.#close(socket, reason);
  }

  /** Those that are not closed; the platform lists others for a while. */
  #sockets(): EdgeSocket[] {
    return this.#parts.ctx.getWebSockets().filter((socket) => !this.#closed.has(socket));
  }

  #counted(): EdgeSocket | null {
    return this.#sockets().find((socket) => attachmentOf(socket).counts) ?? null;
  }

  #linkOn(socket: EdgeSocket): { link: Link; opened: number } {
    const before = this.#links.get(socket);
    if (before) return before;
    const { project } = this.#parts.host;
    const link: Link = new Link({
      side: "accepted",
      send: (message) => socket.send(message),
      // Bare, it must not be called as somebody's method on this platform.
      later: (run) => queueMicrotask(run),
      lastOwnStream: attachmentOf(socket).lastOwnStream,
      handler: serveHost({
        project,
        pace: this.#pace,
        sync: (report) => this.#syncOver(socket, report),
        removed: () => this.#close(socket, HOST_REMOVED),
      }),
      closed: (error) => this.#close(socket, error.message),
    });
    const entry = { link, opened: 0 };
    this.#links.set(socket, entry);
    return entry;
  }

  async #syncOver(socket: EdgeSocket, report: Report): Promise<SyncAnswer> {
    const answer = await this.#sync(report, true);
    if (this.#isForgotten) return answer;
    const attachment = attachmentOf(socket);
    if (!attachment.counts && this.#sockets().includes(socket)) {
      const before = this.#counted();
      socket.serializeAttachment({ ...attachment, counts: true } satisfies Attachment);
      if (before) this.#close(before, "another link of the same host took its place");
      this.#parts.ctx.storage.kv.delete("unlinked");
      this.#lostAt = null;
      this.#news.tell(this.#parts.host.host);
      this.#tell(0);
    }
    if (answer.nextSyncInMs <= BUSY_SYNC_MS) await this.#watch();
    return answer;
  }

  async #sync(report: Report, linked: boolean): Promise<SyncAnswer> {
    this.#heardAt = this.#parts.now();
    const { kv } = this.#parts.ctx.storage;
    if (kv.get("unheard-since") !== undefined) kv.delete("unheard-since");
    const { seq: _, ...content } = report;
    const digest = await (this.#parts.digest ?? sha256Hex)(JSON.stringify([linked, content]));
    const answered = kv.get<Answered>("answered");
    // The same words from a host that holds what it shall hold: nobody else need hear them.
    const { deployment } = this.#parts;
    const isKnown = answered?.digest === digest && answered.deployment === deployment;
    if (isKnown && this.#told() !== "gone") return answered.answer;
    const generation = this.#generation;
    const { project, host } = this.#parts.host;
    const outcome = await this.#parts.project().call(project, "syncRelayed", [project, host, report, linked]);
    const answer = accepted(outcome as Outcome<SyncAnswer>);
    const isHeld = answer.desired === null && answer.version === report.applied.version;
    if (this.#isForgotten) return answer;
    if (generation === this.#generation) this.#setBusy(answer.nextSyncInMs <= BUSY_SYNC_MS);
    if (isHeld && generation === this.#generation) {
      kv.put("answered", { digest, answer, deployment } satisfies Answered);
    }
    return answer;
  }

  /** Whether the host runs something, as far as the last answer tells. One that was just woken may. */
  #isBusy(): boolean {
    return this.#parts.ctx.storage.kv.get<boolean>("busy") ?? true;
  }

  #setBusy(isBusy: boolean): void {
    const { kv } = this.#parts.ctx.storage;
    if (kv.get<boolean>("busy") !== isBusy) kv.put("busy", isBusy);
  }

  #silentMs(socket: EdgeSocket): number {
    const pinged = this.#parts.ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0;
    const heardAt = Math.max(pinged, this.#heardAt ?? 0, attachmentOf(socket).openedAt);
    return Math.max(0, this.#parts.now() - heardAt);
  }

  /** When the host is silent if nothing more is heard of it: to look sooner would tell nothing, and each look is paid for. */
  #silentInMs(): number {
    const socket = this.#counted();
    if (socket) return SILENT_LINK_MS - this.#silentMs(socket);
    return Math.max(this.#promisedAt, this.#heardUnlinkedAt()) + SILENT_REQUESTS_MS - this.#parts.now();
  }

  /**
   * When a host without a link was heard of. No platform keeps that across a sleep, so a life that was not told begins to
   * count, and a later one goes on from there: however often the object sleeps, silence comes to its end.
   */
  #heardUnlinkedAt(): number {
    if (this.#heardAt !== null) return this.#heardAt;
    const { kv } = this.#parts.ctx.storage;
    const before = kv.get<number>("unheard-since");
    if (before !== undefined) return before;
    const now = this.#parts.now();
    kv.put("unheard-since", now);
    return now;
  }

  /** Tells the project how the host is there now, unless it knows. One after the other, so that the last word stands. */
  #tell(silentMs: number): void {
    if (this.#isForgotten) return;
    const work = (this.#telling ?? Promise.resolve()).then(() => this.#tellNow(silentMs));
    this.#telling = work.catch(async (error) => {
      this.#parts.log("warn", "the project was not told of a host", { ...this.#parts.host, error: String(error) });
      await this.#ring(TELL_AGAIN_MS);
    });
  }

  async #tellNow(silentMs: number): Promise<void> {
    const { host, ctx } = this.#parts;
    const [told, here] = [this.#told(), this.#here()];
    if (told === here || this.#isForgotten) return;
    if (here === "gone") await this.#parts.project().hostGone(host, told === "linked", silentMs);
    else await this.#parts.project().hostHere(host, here === "linked");
    ctx.storage.kv.put("told", here);
  }

  #told(): Here {
    return this.#parts.ctx.storage.kv.get<Here>("told") ?? "gone";
  }

  #here(): Here {
    if (this.#counted()) return "linked";
    return this.#parts.ctx.storage.kv.get<boolean>("unlinked") ? "unlinked" : "gone";
  }

  /** Starts to look after the host, unless that is done already. */
  async #watch(): Promise<void> {
    const { kv } = this.#parts.ctx.storage;
    if (kv.get<boolean>("watched")) return;
    kv.put("watched", true);
    await this.#ring(this.#silentInMs());
  }

  /** There is one alarm for all: one that is set for sooner stays, and what it finds sets it anew. */
  async #ring(ms: number): Promise<void> {
    const at = this.#parts.now() + Math.max(1, ms);
    if (at >= this.#ringsAt) return;
    this.#ringsAt = at;
    await this.#parts.ctx.storage.setAlarm(at);
  }

  /** Whoever closed it: what the platform says of it later is no news. */
  #close(socket: EdgeSocket, reason: string): void {
    if (this.#closed.has(socket)) return;
    const silentMs = this.#silentMs(socket);
    this.#closed.add(socket);
    const entry = this.#links.get(socket);
    this.#links.delete(socket);
    entry?.link.close(reason);
    if (attachmentOf(socket).counts) {
      this.#lostAt = this.#parts.now();
      this.#tell(silentMs);
    }
    try {
      socket.close(CLOSE_CODE, reason.slice(0, CLOSE_REASON_CHARS_MAX).replace(/[^ -~]/g, "?"));
    } catch {
      // It was closed by the other end.
    }
  }
}

function attachmentOf(socket: EdgeSocket): Attachment {
  return (socket.deserializeAttachment() as Attachment | null) ?? { counts: false, lastOwnStream: 0, openedAt: 0 };
}
