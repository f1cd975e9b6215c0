import type { Socket } from "node:net";
import { WebSocket } from "ws";
import type { Link } from "../../src/link/link.ts";
import type { LinkHandler } from "../../src/link/types.ts";
import { LINK_SOCKET_OPTIONS, linkOverWebSocket } from "../../src/link/ws.ts";
import { LINK_PATH } from "../../src/wire/index.ts";
import { retryAfterMs } from "./reconnect.ts";

/**
 * A server to which thousands come back takes them in one after the other. Whoever gives up sooner than his turn comes has
 * cost it as much as a link that was opened, and stands behind all others again.
 */
const HANDSHAKE_TIMEOUT_MS = 20_000;

/** The server answered, and did not open the link. */
export class LinkRefused extends Error {
  override name = "LinkRefused";
  readonly status: number;
  /** When it said to come back, in ms from now; null: it did not. */
  readonly retryAfterMs: number | null;
  constructor(status: number, retryAfter: string | undefined) {
    super(`the server refused the link with status ${status}`);
    this.status = status;
    this.retryAfterMs = status === 503 ? retryAfterMs(retryAfter) : null;
  }
}

export interface DialledLink {
  link: Link;
  /** Bytes that its connection has carried, what frames and encryption add left out where the platform does so. */
  traffic: () => { received: number; sent: number };
}

/**
 * Dials the server and opens the link.
 * @param closed told once when an opened link is over
 * @throws LinkRefused, or an Error when the server cannot be reached
 */
export function dialLink(
  server: string,
  credential: string,
  handler: LinkHandler,
  closed: (reason: Error) => void,
): Promise<DialledLink> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${server.replace(/^http/, "ws")}${LINK_PATH}`, {
      ...LINK_SOCKET_OPTIONS,
      headers: { authorization: `Bearer ${credential}` },
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      followRedirects: false,
    });
    socket.once("unexpected-response", (request, response) => {
      request.destroy();
      reject(new LinkRefused(response.statusCode ?? 0, response.headers["retry-after"]));
    });
    let connection: Socket | null = null;
    socket.once("upgrade", (response) => {
      connection = response.socket;
    });
    socket.once("error", reject);
    socket.once("open", () => {
      const link = linkOverWebSocket(socket, { side: "dialled", later: setImmediate, handler, closed });
      const traffic = () => ({ received: connection?.bytesRead ?? 0, sent: connection?.bytesWritten ?? 0 });
      resolve({ link, traffic });
    });
  });
}
