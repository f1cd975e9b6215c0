import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EngineSocket } from "./engine-socket.ts";

let folder: string;
let server: Server;
let connections = 0;
let engine: EngineSocket;

const answers: RequestListener = (request, response) => response.end(`${request.method} ${request.url}`);

async function serve(listener: RequestListener): Promise<void> {
  server = createServer(listener);
  server.on("connection", () => {
    connections += 1;
  });
  await once(server.listen(join(folder, "engine.sock")), "listening");
}

async function end(): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "headrace-engine-"));
  connections = 0;
  await serve(answers);
  engine = new EngineSocket(join(folder, "engine.sock"));
});
afterEach(async () => {
  await end();
  rmSync(folder, { recursive: true });
});

const ask = async (method: "GET" | "POST" = "GET") =>
  (await engine.call({ method, path: "/x", withinMs: 10_000 })).toString();

test("questions share a connection, and what changes something has one of its own", async () => {
  expect([await ask(), await ask(), await ask()]).toEqual(["GET /x", "GET /x", "GET /x"]);
  expect(connections).toBe(1);
  expect([await ask("POST"), await ask("POST"), await ask()]).toEqual(["POST /x", "POST /x", "GET /x"]);
  expect(connections).toBe(3);
});

test("a question is answered though the engine was started anew, and has ended the connection that was kept", async () => {
  await ask();
  await end();
  await serve(answers);
  expect(await ask()).toBe("GET /x");
});

test("a question that meets the end of the connection is asked once more, on another", async () => {
  let asked = 0;
  await end();
  await serve((request, response) => {
    asked += 1;
    if (asked === 2) request.socket.destroy();
    else answers(request, response);
  });
  expect([await ask(), await ask()]).toEqual(["GET /x", "GET /x"]);
  expect([asked, connections]).toEqual([3, 2]);
});

test("an engine that ends every connection is not reached", async () => {
  await ask();
  await end();
  await serve((request) => request.socket.destroy());
  await expect(ask()).rejects.toMatchObject({ name: "EngineUnreachable" });
});
