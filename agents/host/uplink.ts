import { setTimeout as delay } from "node:timers/promises";
import type { LinkEnd, LinkHandler } from "../../src/link/types.ts";
import { type DialledLink, dialLink, LinkRefused } from "./dial.ts";
import { type Log, reasonOf } from "./log.ts";
import { isNobodyThere, PAUSE_UNLINKED_MS_MAX, reconnectDelayMs, toldDelayMs } from "./reconnect.ts";

/** While the server cannot be reached this is said again no sooner. */
const REPEAT_LOG_MS = 60_000;
/** And that a host has to do without a link: it may be so for good. */
const REPEAT_UNLINKED_LOG_MS = 3_600_000;
/** So many attempts in a row fail before it is tried whether the server answers without a link. */
const ATTEMPTS_WITH_LINK = 3;

interface UplinkParts {
  server: string;
  credential: string;
  handler: LinkHandler;
  /** A link is open; it is over when `closed` aborts. */
  opened: (link: LinkEnd, closed: AbortSignal) => void;
  /** No link can be opened, for the time being or for good: the server may be heard without one. Told more than once. */
  failed: () => void;
  /** Whether the server is heard without a link now. */
  isHeard: () => boolean;
  log: Log;
}

/** Of the present link and of all since the agent's start. */
export interface UplinkFigures {
  /** Since when there is one, in ms since the epoch; null: there is none. */
  since: number | null;
  opened: number;
  /** Attempts that opened none. */
  failed: number;
  openStreams: number;
  bytesReceived: number;
  bytesSent: number;
}

/** Keeps a link to the server for as long as the agent runs. */
export class Uplink {
  readonly #parts: UplinkParts;
  readonly #stop = new AbortController();
  #dialled: (DialledLink & { since: number }) | null = null;
  #opened = 0;
  #failed = 0;
  /** Bytes of the links that are over. */
  #before = { received: 0, sent: 0 };
  #running: Promise<void> = Promise.resolve();

  constructor(parts: UplinkParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#dialled?.link.close("the agent ends");
    await this.#running;
  }

  get figures(): UplinkFigures {
    const traffic = this.#dialled?.traffic() ?? { received: 0, sent: 0 };
    return {
      since: this.#dialled?.since ?? null,
      opened: this.#opened,
      failed: this.#failed,
      openStreams: this.#dialled?.link.openStreams ?? 0,
      bytesReceived: this.#before.received + traffic.received,
      bytesSent: this.#before.sent + traffic.sent,
    };
  }

  async #run(): Promise<void> {
    const { log, server, failed, isHeard } = this.#parts;
    let lostAt = performance.now();
    let said = "";
    let saidAt = Number.NEGATIVE_INFINITY;
    let attempts = 0;
    /** How often in a row the server said when to come back. */
    let timesTold = 0;
    while (!this.#stop.signal.aborted) {
      let told: number | null = null;
      try {
        const reason = await this.#connect();
        if (this.#stop.signal.aborted) return;
        log("warn", "the link to the server is lost", { server, reason: reason.message });
        lostAt = performance.now();
        said = "";
        attempts = 0;
        timesTold = 0;
      } catch (error) {
        this.#failed += 1;
        const retryAfterMs = error instanceof LinkRefused ? error.retryAfterMs : null;
        timesTold = retryAfterMs === null ? 0 : timesTold + 1;
        told = retryAfterMs === null ? null : toldDelayMs(retryAfterMs, timesTold, Math.random());
        // Who says when to come back lets links through, and where nobody is there requests are not answered either: a
        // server that was restarted is to have links to open, and no requests beside them.
        if (told === null && !isNobodyThere(error)) {
          attempts += 1;
          if (attempts >= ATTEMPTS_WITH_LINK) failed();
        }
        const { level, text, repeatMs } = isHeard() ? unlinked(error) : failure(error);
        if (text !== said || performance.now() - saidAt > repeatMs) {
          log(level, text, { server });
          saidAt = performance.now();
          said = text;
        }
      }
      const longest = isHeard() ? PAUSE_UNLINKED_MS_MAX : undefined;
      const pause = told ?? reconnectDelayMs(performance.now() - lostAt, Math.random(), longest);
      await delay(pause, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }

  /** Dials, and returns when the link that was opened is over. */
  async #connect(): Promise<Error> {
    const { server, credential, handler, log } = this.#parts;
    const over = new AbortController();
    const closed = new Promise<Error>((resolve) => {
      over.signal.addEventListener("abort", () => resolve(over.signal.reason));
    });
    const dialled = await dialLink(server, credential, handler, (reason) => over.abort(reason));
    const { link, traffic } = dialled;
    this.#dialled = { ...dialled, since: Date.now() };
    this.#opened += 1;
    if (this.#stop.signal.aborted) link.close("the agent ends");
    else {
      log("info", "linked to the server", { server });
      this.#parts.opened(link, over.signal);
    }
    const reason = await closed;
    const { received, sent } = traffic();
    this.#before = { received: this.#before.received + received, sent: this.#before.sent + sent };
    this.#dialled = null;
    return reason;
  }
}

/** What is said of a link that was not opened, how loudly, and how often. */
interface Said {
  level: "warn" | "error";
  text: string;
  repeatMs: number;
}

function unlinked(error: unknown): Said {
  const text =
    `no link can be opened (${reasonOf(error)}), though the server answers requests: something between lets no ` +
    "WebSocket through. This host syncs by requests: changes reach it some seconds later, and the server can neither " +
    "pass requests on to it nor read its logs";
  return { level: "warn", text, repeatMs: REPEAT_UNLINKED_LOG_MS };
}

function failure(error: unknown): Said {
  const said = (level: Said["level"], text: string) => ({ level, text, repeatMs: REPEAT_LOG_MS });
  if (!(error instanceof LinkRefused)) return said("warn", `the server cannot be reached: ${reasonOf(error)}`);
  if (error.retryAfterMs !== null) return said("warn", "the server has many hosts to link and said when to come back");
  if (error.status !== 401) return said("error", `${error.message}: is this a Headrace server?`);
  return said(
    "error",
    "the server does not accept this host's credential (401): the host was removed there, or the server " +
      "has lost its data. Jobs go on. To join anew, stop the agent, remove its credential.json and give it a new token",
  );
}
