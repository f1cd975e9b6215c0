import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { DatabaseSync } from "node:sqlite";
import type { StreamRequest, StreamResult } from "./protocol.ts";
import { SqlStream } from "./stream.ts";

/** A stream that no pipeline came for is closed, and what it had open is rolled back; genuine servers wait as long. */
const STREAM_IDLE_MS = 10_000;
/** How long a connection waits for its next request: longer than any test is silent. */
const KEPT_ALIVE_MS = 60_000;

/**
 * What goes wrong with one pipeline.
 * - `refused`: the server answers 503 and does nothing, as one that is starting does
 * - `lost`: the connection ends before anything was done
 * - `unanswered`: all is done, and the connection ends without an answer
 * - `busy`: every statement meets a lock that another holds
 * - a promise: all is done once it resolves, and not before
 */
export type Fault = "refused" | "lost" | "unanswered" | "busy" | Promise<unknown>;

interface Pipeline {
  baton: string | null;
  requests: StreamRequest[];
}

/**
 * A libSQL server as clients see it over HTTP, for tests and the demo: one database in a file, the errors of the poorer of
 * the real servers, and faults on demand. The store's contract was run by hand against libSQL's own server too (sqld 0.24.32),
 * and holds there as it does here.
 */
export class LibsqlServer {
  /** Bytes of each pipeline's body that came, in order. */
  readonly bodies: number[] = [];
  private readonly file: string;
  private readonly token: string | null;
  private readonly server: Server;
  private readonly streams = new Map<string, { stream: SqlStream; expiry: NodeJS.Timeout }>();
  private readonly faults: { fault: Fault; writesOnly: boolean }[] = [];
  private lasting: Fault | null = null;

  private constructor(file: string, token: string | null) {
    this.file = file;
    this.token = token;
    this.server = createServer((request, response) => {
      this.answer(request, response).catch((error) => {
        response.writeHead(500, { "content-type": "text/plain" });
        response.end(String(error));
      });
    });
    // A test may compute for longer than Node's 5 s, and then write over a connection that was closed meanwhile.
    this.server.keepAliveTimeout = KEPT_ALIVE_MS;
  }

  /** @param token without it a client is answered 401; null = anyone is served */
  static async start(file: string, token: string | null = null): Promise<LibsqlServer> {
    const first = new DatabaseSync(file);
    first.exec("PRAGMA journal_mode = wal");
    first.close();
    const server = new LibsqlServer(file, token);
    server.server.listen(0, "127.0.0.1");
    await once(server.server, "listening");
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Faults for the next pipelines, one each, in order. */
  fail(...faults: Fault[]): void {
    for (const fault of faults) this.faults.push({ fault, writesOnly: false });
  }

  /** Like `fail`, for pipelines that take the write lock; others pass them by. */
  failWrites(...faults: Fault[]): void {
    for (const fault of faults) this.faults.push({ fault, writesOnly: true });
  }

  /** How many faults of `fail` and `failWrites` have not befallen anything yet. */
  get faultsLeft(): number {
    return this.faults.length;
  }

  /** One fault for every pipeline that `fail` and `failWrites` leave alone, until it is another one or null. */
  failAll(fault: Fault | null): void {
    this.lasting = fault;
  }

  async close(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    for (const { stream, expiry } of this.streams.values()) {
      clearTimeout(expiry);
      stream.close();
    }
    this.streams.clear();
    if (this.server.listening) await once(this.server, "close");
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const send = (status: number, value: unknown) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(value));
    };
    if (request.method !== "POST" || request.url !== "/v2/pipeline") return send(404, { error: "not found" });
    if (this.token !== null && request.headers.authorization !== `Bearer ${this.token}`) {
      return send(401, { error: "Unauthorized" });
    }
    const body = Buffer.concat(chunks);
    this.bodies.push(body.length);
    const pipeline = JSON.parse(body.toString("utf8")) as Pipeline;
    const fault = this.nextFault(pipeline);
    if (fault === "refused") return send(503, { error: "the server is starting" });
    if (fault === "lost") return void request.socket.destroy();
    if (fault instanceof Promise) await fault;
    const answer = await this.run(pipeline, fault === "busy");
    if (answer === null)
      return send(400, { message: "The stream has expired due to inactivity", code: "STREAM_EXPIRED" });
    if (fault === "unanswered") return void request.socket.destroy();
    send(200, answer);
  }

  private nextFault({ requests }: Pipeline): Fault | null {
    const isWrite = requests.some(
      (each) => each.type === "batch" && each.batch.steps.some(({ stmt }) => stmt.sql === "BEGIN IMMEDIATE"),
    );
    const next = this.faults[0];
    if (!next || (next.writesOnly && !isWrite)) return this.lasting;
    this.faults.shift();
    return next.fault;
  }

  /** @returns null when the stream that the pipeline belongs to is not there any more */
  private async run({ baton, requests }: Pipeline, isBusy: boolean): Promise<object | null> {
    const stream = baton === null || baton === undefined ? new SqlStream(this.file) : this.take(baton);
    if (stream === null) return null;
    const results: StreamResult[] = [];
    for (const request of requests) {
      results.push(isBusy ? busy(request) : await stream.answer(request));
    }
    if (requests.at(-1)?.type !== "close") return { baton: this.keep(stream), base_url: null, results };
    stream.close();
    return { baton: null, base_url: null, results };
  }

  /** A baton is good once: what comes twice, or too late, finds nothing. */
  private take(baton: string): SqlStream | null {
    const kept = this.streams.get(baton);
    if (!kept) return null;
    this.streams.delete(baton);
    clearTimeout(kept.expiry);
    return kept.stream;
  }

  private keep(stream: SqlStream): string {
    const baton = randomUUID();
    const expiry = setTimeout(() => this.take(baton)?.close(), STREAM_IDLE_MS);
    this.streams.set(baton, { stream, expiry });
    return baton;
  }
}

/** The answer of a server whose database is locked: nothing that touches it is done. */
function busy(request: StreamRequest): StreamResult {
  const error = { message: "SQLite error: database is locked", code: "SQLITE_BUSY" };
  if (request.type === "execute") return { type: "error", error };
  if (request.type !== "batch") return { type: "ok", response: { type: request.type } };
  // Conditions hold back every step but the first, and the last, which rolls back and finds nothing to roll back.
  const { steps } = request.batch;
  const result = { step_results: steps.map(() => null), step_errors: steps.map((_, i) => (i === 0 ? error : null)) };
  return { type: "ok", response: { type: "batch", result } };
}
