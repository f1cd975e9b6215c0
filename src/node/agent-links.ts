import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { systemClock } from "../control/clock.ts";
import { serveHost } from "../control/hosts/host-requests.ts";
import { HOST_REMOVED } from "../control/hosts/presence.ts";
import type { ReportPace } from "../control/hosts/report-pace.ts";
import type { ReportTurns } from "../control/hosts/report-turns.ts";
import type { Log } from "../control/log.ts";
import { refusalOf } from "../control/refusal.ts";
import { hostCaller } from "../control/tokens/callers.ts";
import type { Control } from "../control/types.ts";
import type { Link } from "../link/link.ts";
import { LINK_SOCKET_OPTIONS, linkOverWebSocket } from "../link/ws.ts";
import type { Report } from "../wire/index.ts";
import { Peers } from "./direct/peers.ts";
import { LINK_CLOSE_MS } from "./limits.ts";
import { LinkAdmission } from "./link-admission.ts";
import { refuseSocket } from "./raw-refusal.ts";

export interface AgentLinks {
  /** Takes an upgrade for `LINK_PATH` over. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** The address from which the link of a host was opened last; null: it was not yet. */
  peerOf(project: string, host: string): string | null;
  close(): void;
}

/**
 * The server's ends of the links: one WebSocket a host, opened with the host's own credential. A link counts from its
 * first report that is taken in: a copy of the credential on another machine must not cut the host's own link off.
 * @param pace at which reports are read, and in which turns
 */
export function agentLinks(control: Control, log: Log, pace: ReportPace, turns: ReportTurns): AgentLinks {
  const server = new WebSocketServer({ noServer: true, ...LINK_SOCKET_OPTIONS, ...{ closeTimeout: LINK_CLOSE_MS } });

  const admission = new LinkAdmission(systemClock);
  const peers = new Peers();
  /** The newest link of each host that does not count yet; a newer one takes its place. */
  const waiting = new Map<string, Link>();

  async function accept(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    if (socket.destroyed) return;
    const caller = await hostCaller(control, request.headers.authorization);
    if (!caller) return refuseSocket(socket, "unauthorized", "The link needs the credential of a host.");
    server.handleUpgrade(request, socket, head, (ws) => {
      const host = `${caller.project}/${caller.subject}`;
      let counts = false;
      let isOver = false;
      const sync = async (report: Report, waitedMs: number) => {
        const answer = await control.sync(caller.project, caller.subject, report, waitedMs);
        if (counts || isOver) return answer;
        counts = true;
        if (waiting.get(host) === link) waiting.delete(host);
        peers.opened(host, request.socket.remoteAddress ?? null);
        control.linkOpened(caller.project, caller.subject, link);
        return answer;
      };
      const removed = () => link.close(HOST_REMOVED);
      const link = linkOverWebSocket(ws, {
        side: "accepted",
        later: setImmediate,
        handler: serveHost({ sync, removed, pace, turns, project: caller.project }),
        closed: (reason, silentMs) => {
          log("info", "link closed", { host: caller.subject, reason: reason.message });
          isOver = true;
          if (waiting.get(host) === link) waiting.delete(host);
          control.linkClosed(caller.project, caller.subject, link, silentMs);
        },
      });
      log("info", "link opened", { host: caller.subject });
      waiting.get(host)?.close("another link of the same host took its place");
      waiting.set(host, link);
    });
  }

  return {
    peerOf: (project, host) => peers.of(`${project}/${host}`),
    upgrade(request, socket, head) {
      admission.enter({
        begin: () =>
          accept(request, socket, head)
            .catch((error) => {
              log("error", "a link could not be opened", { error: String(error) });
              const refusal = refusalOf(error);
              if (refusal) refuseSocket(socket, refusal.code, refusal.message);
              else refuseSocket(socket, "internal", "The link could not be opened; try again.");
            })
            .finally(() => admission.leave()),
        refuse(retryAfterS) {
          const message = "Many hosts are opening their links now; come back when Retry-After says.";
          refuseSocket(socket, "unavailable", message, retryAfterS);
        },
      });
    },
    close() {
      admission.close();
      for (const client of server.clients) client.terminate();
      server.close();
    },
  };
}
