import { homedir } from "node:os";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { createApp } from "./api/app.ts";
import type { WhenSent } from "./api/shares.ts";
import { VERSION } from "./api/version.ts";
import { systemClock } from "./control/clock.ts";
import { HeadraceControl } from "./control/control.ts";
import { ReportPace } from "./control/hosts/report-pace.ts";
import { ReportTurns } from "./control/hosts/report-turns.ts";
import { withinReach } from "./control/hosts/within-reach.ts";
import type { Log } from "./control/log.ts";
import { createSealer } from "./control/seal.ts";
import { agentLinks } from "./node/agent-links.ts";
import { hashedHere } from "./node/digest.ts";
import { DirectWays, withDirectWays } from "./node/direct/direct-ways.ts";
import { firstStart } from "./node/first-start.ts";
import { createHttpServer } from "./node/http-server.ts";
import { openInstallation } from "./node/install-folder.ts";
import { sealingKeys } from "./node/key.ts";
import { listen } from "./node/listen.ts";
import { logToStderr } from "./node/log.ts";
import { isProxied, proxyListener } from "./node/proxy-listener.ts";
import { refuseSocket } from "./node/raw-refusal.ts";
import { openServerDatabase } from "./node/server-database.ts";
import { type ServerFlags, serverSettings } from "./node/settings.ts";
import { RequestPath } from "./proxy/request-path.ts";
import { createStore } from "./store/libsql.ts";
import type { Store } from "./store/types.ts";
import { LINK_PATH } from "./wire/index.ts";

export { createLocalToken } from "./node/local-token.ts";

export interface RunningServer {
  /** e.g. `http://127.0.0.1:3000`. */
  url: string;
  /** Set when this start made the first admin token; nobody can show it again. */
  firstStart: { adminToken: string } | null;
  close(): Promise<void>;
}

/**
 * The control plane as one Node process, with an embedded database or one on a libSQL server.
 * @param around stands between the server and its database: drills break writes there
 * @throws StartError when it cannot start, with what to do instead
 */
export async function startServer(
  flags: ServerFlags = {},
  log: Log = logToStderr,
  around: (store: Store) => Store = (store) => store,
): Promise<RunningServer> {
  const settings = serverSettings(flags, process.env, homedir());
  const store = around(createStore(await openServerDatabase(settings)));
  try {
    const seal = await createSealer(await sealingKeys(settings));
    const { folder, builds } = await openInstallation(settings, log);
    const turns = new ReportTurns(systemClock);
    const control = new HeadraceControl({
      store,
      seal,
      clock: systemClock,
      log,
      images: settings.images,
      builds,
      digest: hashedHere,
      heardUpTo: (project) => turns.heardUpTo(project),
      tokenRevoked: (project) => requestPath.forgetCallers(project),
    });
    await control.start();

    const pace = new ReportPace(() => performance.now());
    const app = createApp(control, {
      version: VERSION,
      whenSent,
      pace,
      turns,
      install: folder,
      report: (requestId, error) => log("error", "a request failed", { requestId, error: describe(error) }),
    });
    const api = getRequestListener(app.fetch);
    const links = agentLinks(control, log, pace, turns);
    const direct = new DirectWays({
      networks: settings.direct,
      placeOf: (project, replica) => control.placeOf(project, replica),
      peerOf: links.peerOf,
      now: () => performance.now(),
    });
    for (const fleet of settings.direct.fleets) log("info", "replicas are connected to directly", { fleet });
    const ways = settings.direct.fleets.length > 0 ? withDirectWays(control, direct) : control;
    const reached = withinReach(ways, (project, host) => control.isUnlinked(project, host));
    const requestPath: RequestPath = new RequestPath(reached);
    const proxy = proxyListener(requestPath, log);
    const server = createHttpServer((request, response) =>
      isProxied(request) ? proxy(request, response) : void api(request, response),
    );
    server.on("connection", () => turns.connected());
    server.on("upgrade", (request, socket, head) => {
      if (request.url?.split("?")[0] === LINK_PATH) return links.upgrade(request, socket, head);
      refuseSocket(
        socket,
        "websocket_unsupported",
        "WebSockets are not served here; use plain requests or server-sent events",
      );
    });
    const listening = await listen(server, settings.host, settings.port);
    const stop = () => {
      control.close();
      links.close();
      void direct.close();
      listening.close();
      server.closeAllConnections();
    };
    // Only now: the token of a start that failed would be known to nobody, and none would be made by the next.
    const first = await firstStart(store, systemClock.now()).catch((error) => {
      stop();
      throw error;
    });
    return {
      url: `http://${settings.host.includes(":") ? `[${settings.host}]` : settings.host}:${listening.port}`,
      firstStart: first,
      async close() {
        stop();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** The answer is gone once Node has closed its side of it, sent or not. */
const whenSent: WhenSent = (c, over) => {
  const { outgoing } = c.env as HttpBindings;
  if (outgoing.closed) over();
  else outgoing.once("close", over);
};

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
