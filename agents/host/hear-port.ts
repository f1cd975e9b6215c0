import { connect } from "node:net";
import { letGo } from "./let-go.ts";

/**
 * Any web server answers this at once, whatever its engine does. Only one whose process stands still takes longer; one
 * whose event loop is full, with a batch of long prompts say, takes a second or two.
 */
const SILENT_MS = 5_000;

/** What every engine with an OpenAI API lists without asking its model. Without its key it refuses, which is an answer. */
const PATH = "/v1/models";

/**
 * Asks for an answer over HTTP, whatever it may be: its first byte ends the question.
 *
 * @returns whether a connection was accepted and then nothing came for `silentMs`. A connection that is not accepted,
 *   or breaks, is not silent
 */
export function isSilent(host: string, port: number, silentMs = SILENT_MS): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let accepted = false;
    const timer = setTimeout(() => finish(accepted), silentMs);
    const finish = (silent: boolean) => {
      clearTimeout(timer);
      letGo(socket);
      resolve(silent);
    };
    socket.once("connect", () => {
      accepted = true;
      const authority = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
      socket.write(`GET ${PATH} HTTP/1.1\r\nhost: ${authority}\r\nconnection: close\r\n\r\n`);
    });
    socket.once("data", () => finish(false));
    socket.once("end", () => finish(false));
    socket.once("error", () => finish(false));
  });
}
