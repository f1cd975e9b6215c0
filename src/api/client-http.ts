import type * as z from "zod";
import { type ErrorBody, errorBody, type RequestIssue } from "./error-body.ts";

/** A refusal by the server, in its own words. `code` is one of docs/errors.md. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly status: number;
  readonly code: string;
  readonly issues: RequestIssue[];
  constructor(status: number, code: string, message: string, issues: RequestIssue[] = []) {
    super(message);
    this.status = status;
    this.code = code;
    this.issues = issues;
  }
}

/** No answer came, or none that a Headrace server gives. */
export class ServerUnreachable extends Error {
  override name = "ServerUnreachable";
}

export interface HttpOptions {
  /** e.g. `http://127.0.0.1:3000`; a path before `/api` is kept. */
  server: string;
  token: string;
  fetch?: typeof fetch;
  /** Ends every request, streams included. */
  signal?: AbortSignal;
  /** Waits between attempts; for tests. */
  sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

export interface HttpRequest {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** With its query. */
  path: string;
  body?: unknown;
  /** A tar archive in place of a JSON body. */
  archive?: Uint8Array<ArrayBuffer>;
  headers?: Record<string, string>;
  /** Set for streams, which have no end to wait for. */
  stream?: AbortSignal;
}

/** Waits between attempts to connect: a server that restarts is back within a second or two. */
const RETRY_WAITS_MS = [200, 500, 1_000];
/** A commit takes milliseconds; a server that says nothing for so long is not going to. */
const ANSWER_WITHIN_MS = 30_000;
/** A refusal is a short text; of more than this only the beginning is read. */
const REFUSAL_CHARS_MAX = 64 * 1024;

/** Sends requests with the token, and repeats those that could not connect, each as it was. */
export class HttpClient {
  readonly #options: HttpOptions;
  readonly #fetch: typeof fetch;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;

  constructor(options: HttpOptions) {
    this.#options = { ...options, server: options.server.replace(/\/+$/, "") };
    this.#fetch = options.fetch ?? fetch;
    this.sleep = options.sleep ?? sleep;
  }

  /**
   * @throws ApiError the server refused
   * @throws ServerUnreachable no answer, or none that fits `schema`
   */
  async json<S extends z.ZodType>(request: HttpRequest, schema: S): Promise<z.output<S>> {
    const response = await this.send(request);
    const text = await response.text().catch((error) => {
      throw this.brokenOff(error);
    });
    const parsed = schema.safeParse(parseJson(text));
    if (parsed.success) return parsed.data;
    throw new ServerUnreachable(
      `${this.#options.server} answered ${request.method} ${request.path} with something else than expected. ` +
        "Is it a Headrace server of the same version?",
    );
  }

  /** @returns the answer of a request that succeeded, its body unread */
  async send(request: HttpRequest): Promise<Response> {
    const signals = [this.#options.signal, request.stream ?? AbortSignal.timeout(ANSWER_WITHIN_MS)];
    const signal = AbortSignal.any(signals.filter((one) => one !== undefined));
    for (let attempt = 0; ; attempt += 1) {
      try {
        const response = await this.#fetch(`${this.#options.server}${request.path}`, this.#init(request, signal));
        if (response.ok) return response;
        throw await this.#refusal(response);
      } catch (error) {
        if (error instanceof ApiError || error instanceof ServerUnreachable) throw error;
        const wait = RETRY_WAITS_MS[attempt];
        if (signal.aborted || wait === undefined) throw this.#noAnswer(error, signal);
        await this.sleep(wait, signal);
      }
    }
  }

  /** What is wrong where an answer that had begun broke off. @param signal aborted: it was left */
  brokenOff(error: unknown, signal?: AbortSignal): unknown {
    const isOurs = error instanceof ApiError || error instanceof ServerUnreachable;
    if (isOurs || signal?.aborted || this.#options.signal?.aborted) return error;
    return new ServerUnreachable(`The connection to ${this.#options.server} was lost: ${causeOf(error)}.`, {
      cause: error,
    });
  }

  #init(request: HttpRequest, signal: AbortSignal): RequestInit {
    return {
      method: request.method,
      headers: {
        Authorization: `Bearer ${this.#options.token}`,
        ...(request.body === undefined ? {} : { "Content-Type": "application/json" }),
        ...(request.archive === undefined ? {} : { "Content-Type": "application/x-tar" }),
        ...request.headers,
      },
      // A redirect could carry the token elsewhere, and turns a POST into a GET.
      redirect: "manual",
      signal,
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      ...(request.archive === undefined ? {} : { body: request.archive }),
    };
  }

  async #refusal(response: Response): Promise<Error> {
    const text = (await response.text()).slice(0, REFUSAL_CHARS_MAX);
    const parsed = errorBody.safeParse(parseJson(text));
    if (parsed.success) return refusalOf(response.status, parsed.data);
    const location = response.headers.get("location");
    return new ServerUnreachable(
      location === null
        ? `${this.#options.server} answered with status ${response.status}, and not as a Headrace server does.`
        : `${this.#options.server} redirects to ${location}; use that address as the server.`,
    );
  }

  #noAnswer(error: unknown, signal: AbortSignal): unknown {
    // Whoever aborted knows why; a time-out of ours needs words.
    if (signal.aborted && (signal.reason as Error | undefined)?.name !== "TimeoutError") return signal.reason;
    const why = signal.aborted ? `no answer within ${ANSWER_WITHIN_MS / 1000} s` : causeOf(error);
    return new ServerUnreachable(`Cannot reach ${this.#options.server}: ${why}.`, { cause: error });
  }
}

export function refusalOf(status: number, { error: { code, message, issues } }: ErrorBody): ApiError {
  return new ApiError(status, code, message, issues);
}

/** The cause that a person can act on; `fetch failed` alone says nothing. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause as { code?: string; message?: string } | undefined;
  if (cause?.code === "ECONNREFUSED") return "nothing listens there (connection refused)";
  if (cause?.code === "ENOTFOUND") return "its name is not known";
  return cause?.message || cause?.code || error.message;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const leave = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", leave);
      resolve();
    }, ms);
    signal?.addEventListener("abort", leave, { once: true });
  });
}
