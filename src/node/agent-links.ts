import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { Log } from "../control/log.ts";
import type { Control } from "../control/types.ts";
import { LINK_SOCKET_OPTIONS, linkOverWebSocket } from "../link/ws.ts";
import { Peers } from "./direct/peers.ts";
import { type LinkedHost, serveHost } from "./host-requests.ts";
import { LINK_CLOSE_MS } from "./limits.ts";
import { refuseSocket } from "./raw-refusal.ts";
import type { ReportPace } from "./report-pace.ts";

/** Where agents dial. */
export const LINK_PATH = "/agent/link";

export interface AgentLinks {
  /** Takes an upgrade for `LINK_PATH` over. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** The address from which the link of a host was opened last; null: it was not yet. */
  peerOf(project: string, host: string): string | null;
  close(): void;
}

/**
 * The server's ends of the links: one WebSocket a host, opened with the host's own credential.
 * @param pace at which reports are read
 */
export function agentLinks(control: Control, log: Log, pace: ReportPace): AgentLinks {
  const server = new WebSocketServer({ noServer: true, ...LINK_SOCKET_OPTIONS, ...{ closeTimeout: LINK_CLOSE_MS } });

  const peers = new Peers();

  async function accept(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const caller = await hostOf(control, request);
    if (!caller) return refuseSocket(socket, "unauthorized", "The link needs the credential of a host.");
    server.handleUpgrade(request, socket, head, (ws) => {
      peers.opened(`${caller.project}/${caller.subject}`, request.socket.remoteAddress ?? null);
      const link = linkOverWebSocket(ws, {
        side: "accepted",
        later: setImmediate,
        handler: serveHost(control, caller, pace),
        closed: (reason, silentMs) => {
          log("info", "link closed", { host: caller.subject, reason: reason.message });
          control.linkClosed(caller.project, caller.subject, link, silentMs);
        },
      });
      log("info", "link opened", { host: caller.subject });
      control.linkOpened(caller.project, caller.subject, link);
    });
  }

  return {
    peerOf: (project, host) => peers.of(`${project}/${host}`),
    upgrade(request, socket, head) {
      accept(request, socket, head).catch((error) => {
        log("error", "a link could not be opened", { error: String(error) });
        refuseSocket(socket, "internal", "The link could not be opened; try again.");
      });
    },
    close() {
      for (const client of server.clients) client.terminate();
      server.close();
    },
  };
}

async function hostOf(control: Control, request: IncomingMessage): Promise<LinkedHost | null> {
  const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
  const caller = token ? await control.authenticate(token) : null;
  return caller?.kind === "host" && caller.subject !== null ? { ...caller, subject: caller.subject } : null;
}
