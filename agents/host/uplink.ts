import { setTimeout as delay } from "node:timers/promises";
import type { LinkEnd, LinkHandler } from "../../src/link/types.ts";
import { dialLink, LinkRefused } from "./dial.ts";
import { type Log, reasonOf } from "./log.ts";
import { reconnectDelayMs } from "./reconnect.ts";

/** While the server cannot be reached this is said again no sooner. */
const REPEAT_LOG_MS = 60_000;

interface UplinkParts {
  server: string;
  credential: string;
  handler: LinkHandler;
  /** A link is open; it is over when `closed` aborts. */
  opened: (link: LinkEnd, closed: AbortSignal) => void;
  log: Log;
}

/** Keeps a link to the server for as long as the agent runs. */
export class Uplink {
  readonly #parts: UplinkParts;
  readonly #stop = new AbortController();
  #link: LinkEnd | null = null;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: UplinkParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#link?.close("the agent ends");
    await this.#running;
  }

  async #run(): Promise<void> {
    const { log, server } = this.#parts;
    let lostAt = performance.now();
    let said = "";
    let saidAt = Number.NEGATIVE_INFINITY;
    while (!this.#stop.signal.aborted) {
      try {
        const reason = await this.#connect();
        if (this.#stop.signal.aborted) return;
        log("warn", "the link to the server is lost", { server, reason: reason.message });
        lostAt = performance.now();
        said = "";
      } catch (error) {
        const message = failureText(error);
        if (message !== said || performance.now() - saidAt > REPEAT_LOG_MS) {
          log(error instanceof LinkRefused ? "error" : "warn", message, { server });
          saidAt = performance.now();
          said = message;
        }
      }
      const pause = reconnectDelayMs(performance.now() - lostAt, Math.random());
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
    const link = await dialLink(server, credential, handler, (reason) => over.abort(reason));
    this.#link = link;
    if (this.#stop.signal.aborted) link.close("the agent ends");
    else {
      log("info", "linked to the server", { server });
      this.#parts.opened(link, over.signal);
    }
    const reason = await closed;
    this.#link = null;
    return reason;
  }
}

function failureText(error: unknown): string {
  if (!(error instanceof LinkRefused)) return `the server cannot be reached: ${reasonOf(error)}`;
  if (error.status === 401 || error.status === 403) {
    return (
      `the server does not accept this host's credential (${error.status}): the host was removed there, or the server ` +
      "has lost its data. Jobs go on. To join anew, stop the agent, remove its credential.json and give it a new token"
    );
  }
  return `${error.message}: is this a Headrace server?`;
}
