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
    raw.socket.once("end", () => raw.socket.destroy());
    await raw.closed;
    return raw.text;
  }
}

/** The head of a request as it travels. */
export function head(line: string, headers: Record<string, string> = {}): string {
  const fields = Object.entries({ Host: "headrace", ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${line} HTTP/1.1\r\n${fields.join("")}\r\n`;
}
