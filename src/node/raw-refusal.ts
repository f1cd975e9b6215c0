import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { ErrorBody } from "../api/error-body.ts";
import { type ApiErrorCode, ERROR_STATUS } from "../api/errors.ts";
import { REFUSED_SOCKET_MS } from "./limits.ts";

/**
 * Refuses in the API's form on a socket that no response object stands for, and closes it. A caller that leaves its own
 * side open, or does not read, is cut off after a second.
 * @param retryAfterS in how many seconds to come back
 */
export function refuseSocket(socket: Duplex, code: ApiErrorCode, message: string, retryAfterS?: number): void {
  if (socket.destroyed) return;
  const status = ERROR_STATUS[code];
  const body = JSON.stringify({ error: { code, message } } satisfies ErrorBody);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json\r\n` +
      (retryAfterS === undefined ? "" : `Retry-After: ${retryAfterS}\r\n`) +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
  // What still comes is read and dropped: a socket closed over unread bytes takes the answer back.
  socket.resume();
  const cut = setTimeout(() => socket.destroy(), REFUSED_SOCKET_MS);
  socket.once("close", () => clearTimeout(cut));
}
