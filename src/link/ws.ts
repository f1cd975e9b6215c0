import { type LinkError, reasonOf } from "./errors.ts";
import { MESSAGE_BYTES_MAX } from "./limits.ts";
import { Link, type LinkOptions } from "./link.ts";

/** What is used of a WebSocket of the package `ws`. Nothing here imports it, nor Node. */
export interface LinkSocket {
  readonly bufferedAmount: number;
  send(data: Uint8Array | string, sent: (error?: Error | null) => void): void;
  ping(): void;
  close(code: number, reason: string): void;
  terminate(): void;
  on(event: "message", listener: (data: unknown, isBinary: boolean) => void): unknown;
  on(event: "pong" | "ping", listener: () => void): unknown;
  on(event: "close", listener: (code: number) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
}

/** How a socket that carries a link has to be made, at both ends: text does not need it and tokens are small. */
export const LINK_SOCKET_OPTIONS = { perMessageDeflate: false, maxPayload: MESSAGE_BYTES_MAX } as const;

/**
 * What the end that dialled sends instead of the protocol's own ping, and what it is answered. A server whose links
 * sleep while nothing happens has these answered for it, and can see afterwards when that was.
 */
export const PING = "ping";
export const PONG = "pong";

/** An idle socket is pinged this often, which also keeps NATs and proxies on the way from forgetting it. */
const PING_EVERY_MS = 5_000;

/** A socket over which nothing came for this long is dead: three pings went unanswered. */
const SILENT_MS_MAX = 15_000;

/** The protocol allows 123 bytes. */
const CLOSE_REASON_CHARS_MAX = 120;

type SocketLinkOptions = Pick<LinkOptions, "side" | "handler" | "openStreamsMax"> & {
  /** Told once when the link is over, and for how long nothing had come over it then, to within one ping. */
  closed?: (reason: LinkError, silentMs: number) => void;
  /** `setImmediate`. */
  later: (run: () => void) => void;
};

/**
 * A link over an open WebSocket of `ws`. The link ends with the socket and the socket with the link; a socket that has
 * gone silent is cut.
 */
export function linkOverWebSocket(socket: LinkSocket, options: SocketLinkOptions): Link {
  let heard = true;
  let silentMs = 0;
  const link = new Link({
    ...options,
    send: (message) => socket.send(message, () => link.drained()),
    buffered: () => socket.bufferedAmount,
    closed: (reason) => {
      clearInterval(heartbeat);
      if (reason.code === "protocol") socket.terminate();
      else socket.close(1000, asciiOf(reason.message));
      options.closed?.(reason, heard ? 0 : silentMs);
    },
  });
  const heartbeat = setInterval(() => {
    silentMs = heard ? 0 : silentMs + PING_EVERY_MS;
    heard = false;
    if (silentMs < SILENT_MS_MAX) {
      if (options.side === "accepted") socket.ping();
      else socket.send(PING, () => undefined);
      return;
    }
    link.close(`nothing came over the link for ${SILENT_MS_MAX / 1000} s`);
    socket.terminate();
  }, PING_EVERY_MS);
  socket.on("message", (data, isBinary) => {
    heard = true;
    if (isBinary && data instanceof Uint8Array) link.receive(data);
    else if (isText(data, options.side === "accepted" ? PING : PONG)) {
      // One that asks and does not read its answers gets no more of them.
      if (options.side === "accepted" && socket.bufferedAmount === 0) socket.send(PONG, () => undefined);
    } else link.close("the other end of the link sent text");
  });
  socket.on("pong", () => {
    heard = true;
  });
  socket.on("ping", () => {
    heard = true;
  });
  socket.on("close", (code) => link.close(`the connection ended (${code})`));
  socket.on("error", (error) => link.close(reasonOf(error)));
  return link;
}

/** `ws` hands text over as its bytes. */
function isText(data: unknown, text: string): boolean {
  return data instanceof Uint8Array && data.length === text.length && new TextDecoder().decode(data) === text;
}

function asciiOf(reason: string): string {
  return reason.slice(0, CLOSE_REASON_CHARS_MAX).replace(/[^ -~]/g, "?");
}
