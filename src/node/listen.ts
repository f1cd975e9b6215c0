import type { Server as HttpServer } from "node:http";
import { createServer, type ListenOptions, type Server, type Socket } from "node:net";
import { BACKLOG, LISTENING_SOCKETS } from "./limits.ts";
import { StartError } from "./start-error.ts";

/** Where connections come in. */
export interface Listening {
  port: number;
  /** Takes no more connections; those that are open stay. */
  close(): void;
}

/**
 * Listens with several sockets on one port, among which the kernel spreads connections. Node accepts one connection of each
 * listening socket in a turn of its event loop: with a single one, whoever asks for something while thousands of hosts
 * come back stands behind all of them for as many turns.
 *
 * @param server its `maxConnections` bounds the connections of all
 * @param port 0: any free one
 * @throws StartError when the port is taken, or the address is not one of this machine
 */
export async function listen(server: HttpServer, host: string, port: number): Promise<Listening> {
  // Elsewhere sockets that share a port are not known, or the newest has all connections.
  if (process.platform !== "linux") return { port: await open(server, { host, port }), close: () => server.close() };
  await refuseTaken(host, port);
  const shared = { host, reusePort: true, backlog: BACKLOG };
  const taken = await open(server, { ...shared, port });
  const others = besides(server);
  await Promise.all(others.map((other) => open(other, { ...shared, port: taken })));
  return {
    port: taken,
    close() {
      for (const listening of [server, ...others]) listening.close();
    },
  };
}

/** Sockets that share a port do so with any program of this user, so that one that has it already is asked for first. */
async function refuseTaken(host: string, port: number): Promise<void> {
  if (port === 0) return;
  const alone = createServer();
  await open(alone, { host, port });
  await new Promise((closed) => alone.close(closed));
}

/** Listening sockets that hand what they accept to `server`, as if it had accepted it. */
function besides(server: HttpServer): Server[] {
  const connectionsMax = server.maxConnections;
  let all = 0;
  let handed = 0;
  const hand = (change: 1 | -1) => {
    handed += change;
    // Node counts what each listening socket has accepted by itself.
    server.maxConnections = connectionsMax - handed;
  };
  server.on("connection", (socket: Socket) => {
    all += 1;
    socket.once("close", () => {
      all -= 1;
    });
  });
  const accept = (socket: Socket) => {
    if (all >= connectionsMax) return socket.destroy();
    hand(1);
    socket.once("close", () => hand(-1));
    server.emit("connection", socket);
  };
  // As Node's HTTP server has its own made.
  const likeHttp = { allowHalfOpen: true, noDelay: true };
  return Array.from({ length: LISTENING_SOCKETS - 1 }, () => createServer(likeHttp, accept));
}

function open(server: Server, where: ListenOptions): Promise<number> {
  const { host, port } = where;
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      const inUse = `Port ${port} on ${host} is in use by another process. Stop that one, or give another port with --port or HEADRACE_LISTEN_PORT.`;
      reject(
        new StartError(error.code === "EADDRINUSE" ? inUse : `Cannot listen on ${host}:${port}: ${error.message}.`),
      );
    };
    server.once("error", failed);
    server.listen(where, () => {
      server.off("error", failed);
      const address = server.address();
      resolve(typeof address === "object" && address ? address.port : 0);
    });
  });
}
