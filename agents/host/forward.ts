import { Readable } from "node:stream";
import { Agent, type Dispatcher, request } from "undici";
import type { LinkAnswer, LinkBody } from "../../src/link/types.ts";
import { HOP_BY_HOP } from "../../src/wire/index.ts";
import type { JobAddresses } from "./job-address.ts";
import { reasonOf } from "./log.ts";
import { refusal } from "./refusal.ts";

/** SGLang closes idle connections after 5 s; ours go first, so that no request meets a connection that is closing. */
const KEEP_ALIVE_MS = 4_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** SMG's own limit for a request: a long answer that is not streamed has no byte before its end. */
const SILENT_MS_MAX = 30 * 60_000;
/** An answer of known size up to this goes into one frame with its head. */
const WHOLE_ANSWER_BYTES_MAX = 64 * 1024;
/** Connections to one job; the link lets no more streams through than this. */
const CONNECTIONS_MAX = 1024;

/** Ours to say towards the job: its own host, and a body that nobody waits with. */
const NOT_SENT = new Set(["host", "expect"]);

export interface ForwardedRequest {
  port: number;
  method: string;
  path: string;
  headers: [string, string][];
  body: LinkBody;
}

/** Sends requests on to jobs of this host and streams both ways. */
export class Forwarder {
  readonly #addresses: JobAddresses;
  readonly #open = new Map<number, number>();
  readonly #agent = new Agent({
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    connections: CONNECTIONS_MAX,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: SILENT_MS_MAX,
    bodyTimeout: SILENT_MS_MAX,
  });

  constructor(addresses: JobAddresses) {
    this.#addresses = addresses;
  }

  /** @throws what `signal` was aborted with; every other failure is an answer (502, 504) */
  async forward(forwarded: ForwardedRequest, signal: AbortSignal): Promise<LinkAnswer> {
    const { port, method, path, body } = forwarded;
    const over = this.#begin(port);
    try {
      const origin = await this.#addresses.origin(port);
      const answer = await request(`${origin}${path}`, {
        dispatcher: this.#agent,
        method: method as Dispatcher.HttpMethod,
        headers: forwarded.headers.filter(([name]) => isSent(name.toLowerCase())).flat(),
        body: body instanceof ReadableStream ? Readable.fromWeb(body as never) : body,
        signal,
      });
      const headers = answerHeaders(answer.headers);
      return { head: { status: answer.statusCode, headers }, body: await answerBody(answer, method, over) };
    } catch (error) {
      over();
      if (signal.aborted) throw signal.reason;
      this.#addresses.forget(port);
      return failed(error);
    }
  }

  /** Requests to this port that are not over yet, streamed answers included. */
  openOn(port: number): number {
    return this.#open.get(port) ?? 0;
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  /** Counts a request until the returned function is called for the first time. */
  #begin(port: number): () => void {
    this.#open.set(port, this.openOn(port) + 1);
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      const left = this.openOn(port) - 1;
      if (left === 0) this.#open.delete(port);
      else this.#open.set(port, left);
    };
  }
}

function isSent(name: string): boolean {
  return !HOP_BY_HOP.has(name) && !NOT_SENT.has(name);
}

function answerHeaders(headers: Dispatcher.ResponseData["headers"]): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]) => {
    if (value === undefined || HOP_BY_HOP.has(name)) return [];
    return [value].flat().map((one): [string, string] => [name, one]);
  });
}

/** @param over called once the body is over, however it ends */
async function answerBody(
  { body, headers, statusCode }: Dispatcher.ResponseData,
  method: string,
  over: () => void,
): Promise<LinkBody> {
  const length = Number(headers["content-length"] ?? Number.NaN);
  const empty = method === "HEAD" || statusCode === 204 || statusCode === 304 || length === 0;
  if (empty) {
    await body.dump();
    over();
    return null;
  }
  if (length <= WHOLE_ANSWER_BYTES_MAX) {
    const bytes = await body.bytes();
    over();
    return bytes;
  }
  // `close` comes after an end, an error and a cancellation alike.
  body.once("close", over);
  return pulled(body);
}

/** A stream that reads on only when it is read, so that a slow client holds the job back and nothing piles up here. */
function pulled(body: Readable): ReadableStream<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await chunks.next();
        if (next.done) controller.close();
        else controller.enqueue(next.value);
      },
      cancel() {
        body.destroy();
      },
    },
    { highWaterMark: 0 },
  );
}

function failed(error: unknown): LinkAnswer {
  const { code } = error as { code?: string };
  if (code === "UND_ERR_HEADERS_TIMEOUT" || code === "UND_ERR_BODY_TIMEOUT") {
    return refusal(504, "upstream_timeout", "the replica did not answer in time");
  }
  return refusal(502, "upstream_unreachable", `the replica cannot be reached: ${reasonOf(error)}`);
}
