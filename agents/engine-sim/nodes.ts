import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { connect, createServer, type Socket } from "node:net";
import type { Clock } from "./clock.ts";
import { dieOf } from "./ending.ts";
import { sendText } from "./http.ts";
import { listen } from "./listen.ts";
import type { Log } from "./log.ts";
import type { Settings } from "./settings.ts";

/** Between two tries to reach rank 0, which may start later. */
const RETRY_MS = 500;

/** What rank 0 says before it ends in peace; a connection that closes without it has died. */
const FAREWELL = "end\n";

/**
 * Rank 0 waits until all other nodes of the engine have come, and dies with the first that does.
 * @returns says to the others that it ends in peace
 * @throws Error when they do not come in time
 */
export async function gatherNodes(settings: Settings, clock: Clock, log: Log): Promise<() => void> {
  const { count, meeting, timeoutMs } = settings.nodes;
  if (!meeting) return () => {};
  const nodes = new Set<Socket>();
  const complete = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    nodes.add(socket);
    if (nodes.size === count - 1) complete.resolve();
    socket.resume();
    socket.on("error", () => {});
    socket.on("close", () => dieOf(log, "a node of this engine is gone"));
  });
  await listen(server, meeting.host, meeting.port);
  const late = clock.sleep(timeoutMs).then(() => {
    if (nodes.size < count - 1) throw new Error(`${nodes.size} of ${count - 1} other nodes came in time`);
  });
  await Promise.race([complete.promise, late]);
  late.catch(() => {});
  server.close();
  return () => {
    for (const socket of nodes) socket.removeAllListeners("close").end(FAREWELL);
  };
}

/** Another rank waits until it has reached rank 0. @throws Error when it cannot in time */
export async function joinRankZero(settings: Settings, clock: Clock): Promise<Socket> {
  const { meeting, timeoutMs } = settings.nodes;
  if (!meeting) throw new Error("an engine of one node has no other rank");
  const deadline = clock.now() + timeoutMs;
  for (;;) {
    const socket = connect(meeting.port, meeting.host);
    try {
      await once(socket, "connect");
      return socket;
    } catch (error) {
      if (clock.now() > deadline) throw error;
      await clock.sleep(RETRY_MS);
    }
  }
}

/**
 * Lives as another rank than 0: answers probes with 200 whatever happens, serves nothing, and ends with rank 0. 0.5.23
 * takes no notice of SIGTERM; 0.5.10 dies of it.
 */
export async function followRankZero(settings: Settings, rankZero: Socket, log: Log): Promise<void> {
  if (settings.version !== "0.5.10") process.on("SIGTERM", () => {});
  let said = "";
  rankZero.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(0, FAREWELL.length);
  });
  rankZero.on("error", () => {});
  rankZero.on("close", () => {
    if (said === FAREWELL) process.exit(0);
    dieOf(log, "rank 0 of this engine is gone");
  });
  const probes = new Set(["/ping", "/health", "/health_generate"]);
  const server = createHttpServer((request, response) => {
    const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
    const isServed = probes.has(path) || (path === "/metrics" && settings.metrics.isOn);
    sendText(response, isServed ? 200 : 404, isServed ? "" : "Not Found");
  });
  await listen(server, settings.host, settings.port);
  log(`Dummy health check server started on ${settings.host}:${settings.port}`);
}
