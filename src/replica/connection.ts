import { connect, type Socket } from "node:net";
import { AnswerParser, type AnswerReader } from "./answer-parser.ts";

/** SMG's own limit for a request: a long answer that is not streamed has no byte before its end. */
const SILENT_MS_MAX = 30 * 60_000;

/** The replica has said nothing for longer than any answer takes. */
export class ReplicaSilent extends Error {
  override name = "ReplicaSilent";
}

/** An exchange as the connection sees it that carries it. */
export interface Carried extends AnswerReader {
  readonly bodiless: boolean;
  /** The connection is its own from now on: writes the request. @returns false when it has been given up meanwhile */
  begin(connection: Connection, socket: Socket): boolean;
  /** The socket takes more. */
  drained(): void;
  /** The answer is complete. @returns whether the request is, too */
  end(): boolean;
  /** The connection broke off, or there never was one. */
  fail(error: Error): void;
}

interface ConnectionOptions {
  host: string;
  port: number;
  connectMs: number;
  /** What every socket reads into: what is read is taken out of it before the next read. */
  buffer: Uint8Array;
  /** It can carry another exchange. */
  free: (connection: Connection) => void;
  /** It is gone. */
  closed: (connection: Connection) => void;
}

/** A connection to a replica, which carries one exchange at a time. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  #carried: Carried | null;
  #parser: AnswerParser | null = null;
  #paused = false;
  #error: Error | null = null;
  /** For how long the replica keeps it when it is idle, in ms; null: it did not say. */
  keepMs: number | null = null;
  /** Milliseconds of the process's clock. */
  idleSince = 0;

  /** @param first is carried once the connection is there. */
  constructor(options: ConnectionOptions, first: Carried) {
    this.#options = options;
    this.#carried = first;
    const { host, port, connectMs, buffer } = options;
    const onread = { buffer, callback: (bytes: number) => this.#read(buffer, bytes) };
    const socket = connect({ host, port, noDelay: true, keepAlive: true, onread });
    this.#socket = socket;
    const late = setTimeout(() => this.destroy(new Error(`no connection within ${connectMs} ms`)), connectMs);
    socket.once("connect", () => {
      clearTimeout(late);
      socket.setTimeout(SILENT_MS_MAX, () => this.destroy(new ReplicaSilent("the replica did not answer in time")));
      if (this.#carried !== null) this.#begin(this.#carried);
    });
    socket.on("drain", () => this.#carried?.drained());
    socket.on("end", () => this.#ended());
    socket.on("error", (error) => {
      this.#error ??= error;
    });
    socket.on("close", () => {
      clearTimeout(late);
      options.closed(this);
      this.#lose();
    });
  }

  /** Carries an exchange over a connection that is free. */
  carry(carried: Carried): void {
    this.#carried = carried;
    this.#begin(carried);
  }

  /** More of the answer is wanted, after `data` has left the connection paused. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
  }

  /** No more of the answer is read for now. */
  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  destroy(error: Error): void {
    this.#error ??= error;
    this.#socket.destroy();
  }

  /** Lets go of what it carries, which wants no more, and closes. */
  abandon(): void {
    this.#carried = null;
    this.#socket.destroy();
  }

  #begin(carried: Carried): void {
    this.#parser = new AnswerParser(carried, carried.bodiless);
    if (carried.begin(this, this.#socket)) return;
    this.#carried = null;
    this.#parser = null;
    this.#options.free(this);
  }

  #read(buffer: Uint8Array, bytes: number): boolean {
    const parser = this.#parser;
    // An idle connection has nothing to say: what comes would be taken for the answer to the next request.
    if (parser === null) {
      this.#socket.destroy();
      return true;
    }
    try {
      parser.feed(Buffer.from(buffer.buffer, buffer.byteOffset, bytes));
      if (parser.done) this.#complete(parser);
    } catch (error) {
      this.destroy(error as Error);
    }
    return true;
  }

  #ended(): void {
    if (this.#parser === null) return;
    try {
      this.#parser.closed();
      this.#complete(this.#parser);
    } catch (error) {
      this.#error ??= error as Error;
    }
  }

  #complete(parser: AnswerParser): void {
    const carried = this.#carried;
    if (carried === null) return;
    this.#carried = null;
    this.#parser = null;
    this.keepMs = parser.keepMs;
    const whole = carried.end();
    // The answer may have ended while its reader took no more; the next one is not to wait for that.
    this.resume();
    if (whole && parser.reusable && !this.#socket.destroyed) this.#options.free(this);
    else this.#socket.destroy();
  }

  #lose(): void {
    const carried = this.#carried;
    this.#carried = null;
    carried?.fail(this.#error ?? new Error("the connection was closed"));
  }
}
