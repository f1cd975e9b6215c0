import type { LinkEnd } from "../../src/link/types.ts";
import {
  type AgentUpdate,
  type DesiredState,
  desiredState,
  type PeerList,
  type Report,
  syncAnswer,
} from "../../src/wire/index.ts";
import { type Carried, type Carrier, overLink } from "./carriers.ts";
import { type Log, reasonOf } from "./log.ts";
import { reconnectDelayMs, toldDelayMs } from "./reconnect.ts";

/** Reports are this far apart at least, however much changes. */
const SYNC_GAP_MS = 100;
/** A sync that is not answered in this time is given up and sent again: the server may have lost it. */
const SYNC_TIMEOUT_MS = 20_000;
/** After a sync that failed on a link that is open. */
const SYNC_RETRY_MS = 2_000;
/** Whatever the server asks for: a report comes at least this often. */
const SYNC_INTERVAL_MS_MAX = 10 * 60_000;

/** What the agent holds: the version it was told last, and the name of the content. */
export interface Held {
  desired: DesiredState | null;
  hash: string;
}

/** What is wrong with an answer can be said of each of its parts; the first few tell. */
const REASON_CHARS_MAX = 1_000;

/** Of all syncs since the agent's start. */
export interface SyncFigures {
  answered: number;
  failed: number;
  /** That the answered ones took together. */
  seconds: number;
  reportBytes: number;
  /** When the last one was answered, in ms since the epoch. */
  answeredAt: number | null;
}

/** The server answered, and did not take the report. */
class SyncRefused extends Error {
  override name = "SyncRefused";
  readonly retryAfterMs: number | null;
  constructor({ status, text, retryAfterMs }: Carried) {
    super(`the server answered ${status}: ${text.slice(0, 300)}`);
    this.retryAfterMs = retryAfterMs;
  }
}

interface SyncParts {
  project: string;
  host: string;
  held: () => Held;
  /** Everything but who reports and its number, which only rise. */
  report: () => Promise<Omit<Report, "agent" | "seq">>;
  agent: () => Report["agent"];
  /** A report was accepted, and its answer is taken over. */
  accepted: () => Promise<void>;
  /** This host is to run another build of the agent. Said again with each answer while it does not. */
  update: (told: AgentUpdate) => void;
  /** Takes over a desired state, or another version of the same. */
  take: (desired: DesiredState, hash: string) => Promise<void>;
  /** Takes over which hosts to try. */
  takePeers: (peers: PeerList) => void;
  /** Carries reports while no link can be opened. */
  post: Carrier;
  log: Log;
}

/**
 * Reports when something has changed and when the server asked for it, and takes its answers over: over the link, or by
 * requests while the server answers those though no link can be opened.
 */
export class Sync {
  readonly figures: SyncFigures = { answered: 0, failed: 0, seconds: 0, reportBytes: 0, answeredAt: null };
  readonly #parts: SyncParts;
  readonly #stop = new AbortController();
  #carrier: Carrier | null = null;
  #seq = 0;
  #timer: NodeJS.Timeout | null = null;
  #dueAt = Number.POSITIVE_INFINITY;
  #lastAt = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | null = null;
  #asked = false;
  /** Why the last sync failed; empty after one that did not. */
  #failure = "";
  /** Since when syncs fail. */
  #failingAt: number | null = null;
  #posting = false;
  /** How often in a row the server has said when to come back. */
  #timesTold = 0;
  /** The server wants no report sooner, whatever happens here. */
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(parts: SyncParts) {
    this.#parts = parts;
  }

  /** Reports over this link from now on, until it is over. */
  use(link: LinkEnd, closed: AbortSignal): void {
    const carrier = overLink(link);
    this.#carry(carrier);
    closed.addEventListener("abort", () => {
      if (this.#carrier === carrier) this.#carry(null);
    });
  }

  /** Reports by requests from now on, until there is a link. Whether they are answered shows. */
  goWithoutLink(): void {
    if (this.#carrier === null) this.#carry(this.#parts.post);
  }

  /** Why the last sync failed, in a word for people; empty after one that did not. */
  get failure(): string {
    return this.#failure;
  }

  /** Whether the server is heard of though there is no link. */
  get posting(): boolean {
    return this.#posting;
  }

  #carry(carrier: Carrier | null): void {
    this.#carrier = carrier;
    this.#posting = false;
    this.#failingAt = null;
    this.#notBefore = Number.NEGATIVE_INFINITY;
    this.#arm(0);
  }

  /** Something changed here, or the server said that something changed there. */
  soon(): void {
    if (this.#running !== null) this.#asked = true;
    else this.#arm(0);
  }

  async close(): Promise<void> {
    this.#carrier = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#stop.abort();
    await this.#running;
  }

  #arm(ms: number): void {
    if (this.#carrier === null || this.#running !== null) return;
    const at = Math.max(performance.now() + ms, this.#lastAt + SYNC_GAP_MS, this.#notBefore);
    if (this.#timer !== null) {
      if (at >= this.#dueAt) return;
      clearTimeout(this.#timer);
    }
    this.#dueAt = at;
    this.#timer = setTimeout(() => this.#begin(), Math.max(0, at - performance.now()));
  }

  #begin(): void {
    this.#timer = null;
    const carrier = this.#carrier;
    if (carrier === null) return;
    this.#asked = false;
    this.#lastAt = performance.now();
    this.#running = this.#sync(carrier)
      .then(
        (nextMs) => this.#succeeded(carrier, nextMs),
        (error) => this.#failed(carrier, error),
      )
      .then((nextMs) => {
        this.#running = null;
        // What took the carrier's place meanwhile has not been synced by yet.
        this.#arm(this.#asked || this.#carrier !== carrier ? 0 : nextMs);
      });
  }

  #succeeded(carrier: Carrier, nextMs: number): number {
    const { figures } = this;
    figures.answered += 1;
    figures.seconds += (performance.now() - this.#lastAt) / 1_000;
    figures.answeredAt = Date.now();
    this.#failure = "";
    this.#failingAt = null;
    this.#timesTold = 0;
    this.#posting = this.#carrier === carrier && carrier === this.#parts.post;
    return nextMs;
  }

  /** @returns when to try again: by requests less and less often, since the server may be gone altogether */
  #failed(carrier: Carrier, error: unknown): number {
    this.figures.failed += 1;
    if (this.#carrier !== carrier) return SYNC_RETRY_MS;
    const isPost = carrier === this.#parts.post;
    // Where requests have not been answered before, it is the attempts to open a link that say what is wrong.
    if (!isPost || this.#posting) this.#sayFailed(reasonOf(error));
    this.#posting = false;
    this.#failingAt ??= performance.now();
    if (!isPost) return SYNC_RETRY_MS;
    const told = error instanceof SyncRefused ? error.retryAfterMs : null;
    this.#timesTold = told === null ? 0 : this.#timesTold + 1;
    const delay = told === null ? null : toldDelayMs(told, this.#timesTold, Math.random());
    if (delay !== null) this.#notBefore = performance.now() + delay;
    return Math.max(SYNC_RETRY_MS, delay ?? reconnectDelayMs(performance.now() - this.#failingAt, Math.random()));
  }

  /** Once for each reason: a server that refuses does so every time. */
  #sayFailed(reason: string): void {
    const short = reason.slice(0, REASON_CHARS_MAX);
    if (short !== this.#failure) this.#parts.log("warn", "a sync failed", { reason: short });
    this.#failure = short;
  }

  /** @returns when to come back */
  async #sync(carry: Carrier): Promise<number> {
    const { agent, report, accepted, update } = this.#parts;
    this.#seq += 1;
    const body = new TextEncoder().encode(JSON.stringify({ agent: agent(), seq: this.#seq, ...(await report()) }));
    this.figures.reportBytes += body.byteLength;
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(SYNC_TIMEOUT_MS)]);
    const carried = await carry(body, signal);
    if (carried.status !== 200) throw new SyncRefused(carried);
    const answer = syncAnswer.parse(JSON.parse(carried.text));
    const { version, hash, desired, nextSyncInMs, peers } = answer;
    await this.#take(version, hash, desired);
    if (peers !== null) this.#parts.takePeers(peers);
    await accepted();
    if (answer.agent) update(answer.agent);
    return Math.min(nextSyncInMs, SYNC_INTERVAL_MS_MAX);
  }

  async #take(version: number, hash: string, answered: unknown): Promise<void> {
    const { held, take, project, host } = this.#parts;
    const { desired, hash: heldHash } = held();
    if (desired !== null && version < desired.version) {
      throw new Error(
        `the server is at version ${version}, this host at ${desired.version} already; it is not followed`,
      );
    }
    if (answered !== null) {
      const next = desiredState.parse(answered);
      if (next.project !== project || next.host !== host)
        throw new Error("the server sent another host's desired state");
      await take({ ...next, version }, hash);
    } else if (desired === null || hash !== heldHash) {
      throw new Error("the server sent no desired state, though this host holds another one than it");
    } else if (version > desired.version) await take({ ...desired, version }, hash);
  }
}
