import { Agent, type IncomingMessage, request } from "node:http";
import { EngineRefusal, EngineUnreachable, unreachable } from "./engine-error.ts";

export interface EngineRequest {
  method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  /** With the query, without the host. */
  path: string;
  headers?: Record<string, string>;
  /** What the engine is sent: a value as JSON, or bytes with a `content-type` among the headers. */
  body?: Buffer | object;
  /** Until the answer begins; for `call` until it has ended. */
  withinMs: number;
  /** Ends the request, also while its answer is read. */
  signal?: AbortSignal;
}

/** The largest answer read whole is the inspection of a container with a large environment. */
const ANSWER_BYTES_MAX = 8 * 1024 * 1024;

/** A refusal is a sentence. */
const REFUSAL_BYTES_MAX = 64 * 1024;

/** Jobs are looked at every five seconds; an engine that nothing is asked of is left alone. */
const KEPT_MS = 15_000;

/**
 * Requests to a Docker engine over its Unix socket. Questions that are answered whole share a connection that is kept: one
 * for each cost half as much again, and memory that Node gives back late. Whatever else is asked has one of its own, since
 * of a request that meets the end of a kept one it is not known whether it arrived.
 */
export class EngineSocket {
  readonly path: string;
  readonly #kept = new Agent({ keepAlive: true, maxFreeSockets: 1, timeout: KEPT_MS });

  constructor(path: string) {
    this.path = path;
  }

  /**
   * Asks and reads the answer whole.
   * @throws EngineUnreachable, EngineRefusal, or what the caller's signal was aborted with
   */
  async call(asked: EngineRequest): Promise<Buffer> {
    const limit = AbortSignal.timeout(asked.withinMs);
    const signal = asked.signal === undefined ? limit : AbortSignal.any([limit, asked.signal]);
    try {
      const answer = await this.#send(asked, signal, asked.method === "GET" ? this.#kept : false);
      if ((answer.statusCode ?? 0) >= 400) throw await refusalOf(answer);
      return await readBounded(answer, ANSWER_BYTES_MAX);
    } catch (error) {
      throw this.#explain(error, asked, limit);
    }
  }

  /**
   * Asks and hands out the answer once it begins, to be read as it comes. It lasts until `signal` aborts.
   * @throws as `call` does
   */
  async open(asked: EngineRequest): Promise<IncomingMessage> {
    const begun = new AbortController();
    const timer = setTimeout(() => begun.abort(), asked.withinMs);
    const signal = asked.signal === undefined ? begun.signal : AbortSignal.any([begun.signal, asked.signal]);
    try {
      const answer = await this.#send(asked, signal, false);
      if ((answer.statusCode ?? 0) >= 400) throw await refusalOf(answer);
      return answer;
    } catch (error) {
      throw this.#explain(error, asked, begun.signal);
    } finally {
      clearTimeout(timer);
    }
  }

  #send(asked: EngineRequest, signal: AbortSignal, agent: Agent | false): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const { method, path, headers = {}, body } = asked;
      const bytes = body === undefined || Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
      const type = body === undefined || Buffer.isBuffer(body) ? {} : { "content-type": "application/json" };
      const length = bytes === undefined ? {} : { "content-length": String(bytes.length) };
      const sent = request({
        socketPath: this.path,
        method,
        path,
        // Go's server wants a host; the socket is the address.
        headers: { host: "docker", ...type, ...length, ...headers },
        agent,
        signal,
      });
      sent.once("response", resolve);
      sent.once("error", (error) => {
        // The engine may have ended the connection at that moment, as when it restarts.
        if (sent.reusedSocket && !signal.aborted) resolve(this.#send(asked, signal, false));
        else reject(error);
      });
      sent.once("close", () => reject(new Error("the connection was closed before an answer")));
      sent.end(bytes);
    });
  }

  #explain(error: unknown, { method, path, withinMs, signal }: EngineRequest, limit: AbortSignal): unknown {
    if (error instanceof EngineRefusal || error instanceof EngineUnreachable) return error;
    if (signal?.aborted) return signal.reason;
    if (!limit.aborted) return unreachable(this.path, error);
    const what = `${method} ${path.split("?")[0]}`;
    return new EngineUnreachable(
      `the Docker engine at ${this.path} did not answer within ${withinMs / 1_000} s (${what})`,
    );
  }
}

async function refusalOf(answer: IncomingMessage): Promise<EngineRefusal> {
  const text = (await readBounded(answer, REFUSAL_BYTES_MAX)).toString("utf8");
  return new EngineRefusal(answer.statusCode ?? 0, messageIn(text).trim());
}

function messageIn(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === "string" ? message : text;
  } catch {
    return text;
  }
}

async function readBounded(answer: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new Error(`an answer of more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
