import { sendRequest } from "./http-request.ts";
import type { JobAddresses } from "./job-address.ts";
import { reasonOf } from "./log.ts";

/** An answer of a job is read up to this size: the list of a router with thousands of workers is a few MiB. */
const ANSWER_BYTES_MAX = 8 * 1024 * 1024;

export interface JobQuestion {
  port: number;
  method: string;
  path: string;
  headers?: { name: string; value: string }[];
  body?: string | null;
  /** For all of it, from connecting to the last byte. */
  timeoutMs: number;
}

/** `refused`: nothing listens on the port. */
export type JobAnswer = { status: number; body: string } | { failed: string; refused: boolean };

/**
 * Asks jobs questions over HTTP: probes, engine and router adapters. Redirects are not followed. A connection serves one
 * question, so that an answer always tells of the process that listens now.
 */
export class JobAsker {
  readonly #addresses: JobAddresses;
  readonly #closed = new AbortController();

  constructor(addresses: JobAddresses) {
    this.#addresses = addresses;
  }

  async ask(question: JobQuestion): Promise<JobAnswer> {
    const deadline = AbortSignal.timeout(question.timeoutMs);
    try {
      const origin = await this.#addresses.origin(question.port);
      const { status, text } = await sendRequest(`${origin}${question.path}`, {
        method: question.method.toUpperCase(),
        headers: headersOf(question),
        body: question.body ?? null,
        signal: AbortSignal.any([deadline, this.#closed.signal]),
        answerBytesMax: ANSWER_BYTES_MAX,
        agent: false,
      });
      return { status, body: text };
    } catch (error) {
      if (deadline.aborted) return { failed: `no answer within ${question.timeoutMs / 1000} s`, refused: false };
      this.#addresses.forget(question.port);
      const refused = (error as NodeJS.ErrnoException).code === "ECONNREFUSED";
      return { failed: refused ? `nothing listens on port ${question.port}` : reasonOf(error), refused };
    }
  }

  /** Breaks off what is being asked. */
  close(): void {
    this.#closed.abort(new Error("the agent ends"));
  }
}

function headersOf(question: JobQuestion): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  const body = question.body ?? null;
  if (body !== null) headers["content-type"] = "application/json";
  for (const { name, value } of question.headers ?? []) {
    const key = name.toLowerCase();
    const before = key === "content-type" ? undefined : headers[key];
    headers[key] = before === undefined ? value : [before, value].flat();
  }
  return headers;
}
