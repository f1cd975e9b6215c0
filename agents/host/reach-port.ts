import { connect } from "node:net";
import { letGo } from "./let-go.ts";

/** A living process accepts at once, its kernel does it: half a second is for the network between. */
const CONNECT_TIMEOUT_MS = 500;

/**
 * Opens a TCP connection and closes it again.
 * @returns null when it was accepted, else why not: the code of the error (`ECONNREFUSED`) or `timeout`
 */
export function reachPort(host: string, port: number, timeoutMs = CONNECT_TIMEOUT_MS): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    // One timer for all of it, name look-up included, which a socket's own time-out would not bound.
    const timer = setTimeout(() => finish("timeout"), timeoutMs);
    const finish = (result: string | null) => {
      clearTimeout(timer);
      letGo(socket);
      resolve(result);
    };
    socket.once("connect", () => finish(null));
    socket.once("error", (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
  });
}
