import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { Log } from "../control/log.ts";
import { type Caller, type Control, ControlError } from "../control/types.ts";
import type { LinkAnswer, LinkBody, LinkHandler } from "../link/types.ts";
import { LINK_SOCKET_OPTIONS, linkOverWebSocket } from "../link/ws.ts";
import { openToControl, report } from "../wire/index.ts";
import { LINK_CLOSE_MS } from "./limits.ts";
import { refuseSocket } from "./raw-refusal.ts";

/** Where agents dial. */
export const LINK_PATH = "/agent/link";

/** A report names every job of a host; this is some thousand of them. */
const REPORT_BYTES_MAX = 4 * 1024 * 1024;

const STATUS: Partial<Record<ControlError["code"], number>> = {
  forbidden: 403,
  not_found: 404,
  too_many: 429,
  unavailable: 503,
};

export interface AgentLinks {
  /** Takes an upgrade for `LINK_PATH` over. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  close(): void;
}

/** The server's ends of the links: one WebSocket a host, opened with the host's own credential. */
export function agentLinks(control: Control, log: Log): AgentLinks {
  const server = new WebSocketServer({ noServer: true, ...LINK_SOCKET_OPTIONS, ...{ closeTimeout: LINK_CLOSE_MS } });

  async function accept(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const caller = await hostOf(control, request);
    if (!caller) return refuseSocket(socket, "unauthorized", "The link needs the credential of a host.");
    server.handleUpgrade(request, socket, head, (ws) => {
      const link = linkOverWebSocket(ws, {
        side: "accepted",
        later: setImmediate,
        handler: handlerFor(control, caller),
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

async function hostOf(control: Control, request: IncomingMessage): Promise<(Caller & { subject: string }) | null> {
  const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
  const caller = token ? await control.authenticate(token) : null;
  return caller?.kind === "host" && caller.subject !== null ? { ...caller, subject: caller.subject } : null;
}

/** Serves what an agent opens: its syncs. */
function handlerFor(control: Control, host: Caller & { subject: string }): LinkHandler {
  return async (open, body) => {
    if (!openToControl.safeParse(open).success)
      return json(400, { error: { code: "invalid_request", message: "unknown kind of request" } });
    try {
      const parsed = report.safeParse(JSON.parse(await readText(body)));
      if (!parsed.success) {
        const [issue] = parsed.error.issues;
        return json(400, {
          error: { code: "invalid_request", message: `report: ${issue?.path.join(".")}: ${issue?.message}` },
        });
      }
      return json(200, await control.sync(host.project, host.subject, parsed.data));
    } catch (error) {
      if (!(error instanceof ControlError)) throw error;
      return json(STATUS[error.code] ?? 400, { error: { code: error.code, message: error.message } });
    }
  };
}

async function readText(body: LinkBody): Promise<string> {
  if (body === null) return "";
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body instanceof Uint8Array ? [body] : body) {
    bytes += chunk.length;
    if (bytes > REPORT_BYTES_MAX) throw new ControlError("too_many", `a report has at most ${REPORT_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function json(status: number, value: unknown): LinkAnswer {
  return {
    head: { status, headers: [["content-type", "application/json"]] },
    body: new TextEncoder().encode(JSON.stringify(value)),
  };
}
