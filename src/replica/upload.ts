import type { Socket } from "node:net";
import type { BodyFlow, BodySink } from "../link/types.ts";
import type { Framing } from "./request-head.ts";

interface UploadOptions {
  framing: Framing;
  socket: Socket;
  /** The source, or what it sends, makes the request impossible to finish. */
  failed: (error: unknown) => void;
}

/** The body of a request on its way from its source to the socket, as fast as the socket drains. */
export class Upload implements BodySink {
  readonly #source: BodyFlow;
  readonly #options: UploadOptions;
  /** Bytes that were promised and have not come; null: the body is sent in chunks. */
  #left: number | null;
  #over = false;

  constructor(source: BodyFlow, options: UploadOptions) {
    this.#source = source;
    this.#options = options;
    this.#left = options.framing.kind === "length" ? options.framing.bytes : null;
  }

  /** All of the body is on its way. */
  get over(): boolean {
    return this.#over;
  }

  start(): void {
    this.#source.start(this);
  }

  /** The socket takes more. */
  drained(): void {
    if (!this.#over) this.#source.resume();
  }

  /** Nobody waits for the rest. */
  cancel(reason: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#source.cancel(reason);
  }

  write(bytes: Uint8Array): boolean {
    const { socket } = this.#options;
    // An empty chunk would end the body.
    if (this.#over || bytes.byteLength === 0) return !this.#over;
    if (this.#left === null) {
      socket.cork();
      socket.write(`${bytes.byteLength.toString(16)}\r\n`, "latin1");
      socket.write(bytes);
      const room = socket.write("\r\n", "latin1");
      socket.uncork();
      return room;
    }
    this.#left -= bytes.byteLength;
    if (this.#left >= 0) return socket.write(bytes);
    this.#options.failed(new Error("the body of the request is longer than it was said to be"));
    return false;
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#left === null) this.#options.socket.write("0\r\n\r\n", "latin1");
    else if (this.#left > 0) {
      this.#options.failed(new Error("the body of the request is shorter than it was said to be"));
    }
  }

  fail(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#options.failed(error);
  }
}
