import { connect, type Socket } from "node:net";
import type { Victim } from "./victim.ts";

/** A bare connection to the server, for what no honest HTTP client would send. */
export class RawSocket {
  readonly socket: Socket;
  /** All that came. */
  text = "";
  readonly closed: Promise<void>;

  constructor(victim: Victim) {
    this.socket = connect({ port: victim.port, host: "127.0.0.1", allowHalfOpen: true });
    this.socket.setEncoding("latin1").on("data", (piece: string) => {
      this.text += piece;
    });
    // A connection that is cut is what these tests are after, not a failure of theirs.
    this.socket.on("error", () => {});
    this.closed = new Promise((resolve) => this.socket.once("close", () => resolve()));
  }

  /** Opens a connection, sends this, and returns what came until the server closed it. */
  static async exchange(victim: Victim, bytes: string | Uint8Array): Promise<string> {
    const raw = new RawSocket(victim);
    raw.socket.write(bytes);
    await raw.left();
    return raw.text;
  }

  /** Waits until the server has closed its side, and closes this one. */
  async left(): Promise<void> {
    if (this.socket.readableEnded) this.socket.destroy();
    this.socket.once("end", () => this.socket.destroy());
    await this.closed;
  }
}

/** The head of a request as it travels. */
export function head(line: string, headers: Record<string, string> = {}): string {
  const fields = Object.entries({ Host: "headrace", ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${line} HTTP/1.1\r\n${fields.join("")}\r\n`;
}

/** The answers of one connection as a client reads them, one after the other; the last may be cut. */
export function answersIn(text: string): { status: number; body: string }[] {
  const answers: { status: number; body: string }[] = [];
  let rest = text;
  while (rest !== "") {
    const end = rest.indexOf("\r\n\r\n");
    const fields = end < 0 ? rest : rest.slice(0, end);
    rest = end < 0 ? "" : rest.slice(end + 4);
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(fields)?.[1] ?? 0);
    const length = Number(/^content-length: (\d+)\r?$/im.exec(fields)?.[1] ?? 0);
    const isChunked = /^transfer-encoding: chunked\r?$/im.test(fields);
    let body = isChunked ? "" : rest.slice(0, length);
    rest = isChunked ? rest : rest.slice(length);
    for (let chunk = isChunked ? /^([0-9a-f]+)\r\n/i.exec(rest) : null; chunk !== null; ) {
      const bytes = Number.parseInt(chunk[1] ?? "0", 16);
      const from = chunk[0].length;
      body += rest.slice(from, from + bytes);
      rest = rest.slice(from + bytes + 2);
      chunk = bytes === 0 ? null : /^([0-9a-f]+)\r\n/i.exec(rest);
    }
    answers.push({ status, body });
  }
  return answers;
}
