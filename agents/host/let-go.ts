import type { Socket } from "node:net";

/**
 * Ends a connection that was only to be tried, at once and for good. One that is open is reset: a port that is asked every
 * second would be left with a trail of TIME_WAITs. A reset would let one that is still being opened go on for minutes.
 */
export function letGo(socket: Socket): void {
  if (socket.connecting) socket.destroy();
  else socket.resetAndDestroy();
}
