import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect, createServer as createTcpServer, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { type Listening, listen } from "./listen.ts";

const HOST = "127.0.0.1";
const opened: (Listening | Socket | Server)[] = [];

afterEach(() => {
  for (const it of opened.splice(0).reverse()) {
    if ("destroy" in it) it.destroy();
    else it.close();
  }
});

async function listening(connectionsMax = 1_000): Promise<{ server: Server; port: number; close(): void }> {
  const server = createServer((_, response) => response.end("yes"));
  server.maxConnections = connectionsMax;
  const on = await listen(server, HOST, 0);
  opened.push(on);
  return { server, ...on };
}

function dial(port: number): Socket {
  const socket = connect(port, HOST).on("error", () => undefined);
  opened.push(socket);
  return socket;
}

test("a port that another server has is refused, whichever way it listens", async () => {
  const { port } = await listening();
  await expect(listen(createServer(), HOST, port)).rejects.toThrow(`Port ${port} on ${HOST} is in use`);

  const plain = createTcpServer().listen(0, HOST);
  await once(plain, "listening");
  const taken = (plain.address() as { port: number }).port;
  await expect(listen(createServer(), HOST, taken)).rejects.toThrow(`Port ${taken} on ${HOST} is in use`);
  plain.close();
});

test("an address that is not this machine's is refused", async () => {
  await expect(listen(createServer(), "192.0.2.1", 0)).rejects.toThrow("Cannot listen on 192.0.2.1:0");
});

test("of hundreds that connect together many are accepted in one turn of the event loop", async () => {
  const { server, port } = await listening();
  const CONNECTIONS = 320;
  let accepted = 0;
  let turns = 0;
  server.on("connection", () => {
    accepted += 1;
  });
  const turn = () => {
    turns += accepted > 0 ? 1 : 0;
    if (accepted < CONNECTIONS) setImmediate(turn);
  };
  for (let i = 0; i < CONNECTIONS; i += 1) dial(port);
  turn();
  await expect.poll(() => accepted).toBe(CONNECTIONS);
  // Ten if the kernel spread them evenly; one listening socket takes 320.
  expect(turns).toBeLessThan(CONNECTIONS / 4);
});

test("each connection is served, whichever listening socket has accepted it", async () => {
  const { port } = await listening();
  const answers = await Promise.all(Array.from({ length: 100 }, () => fetch(`http://${HOST}:${port}/`)));
  expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(Array(100).fill("yes"));
});

test("the bound of connections counts those of all listening sockets, and one that goes makes room", async () => {
  const MOST = 10;
  const { server, port } = await listening(MOST);
  let open = 0;
  server.on("connection", (socket: Socket) => {
    open += 1;
    socket.once("close", () => {
      open -= 1;
    });
  });
  const sockets = Array.from({ length: 200 }, () => dial(port));
  const ended = () => sockets.filter((socket) => socket.closed).length;
  await expect.poll(ended).toBe(sockets.length - MOST);
  expect(open).toBe(MOST);

  sockets.find((socket) => !socket.closed)?.destroy();
  await expect.poll(() => open).toBe(MOST - 1);
  dial(port);
  await expect.poll(() => open).toBe(MOST);
});

test("once it is closed the port is free", async () => {
  const { port, close } = await listening();
  close();
  const again = await listen(createServer(), HOST, port);
  opened.push(again);
  expect(again.port).toBe(port);
});
