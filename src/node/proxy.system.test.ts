import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { Readable } from "node:stream";
import { Pool, request } from "undici";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { Link } from "../link/link.ts";
import { pattern, until } from "../link/testing.ts";
import { LINK_SOCKET_OPTIONS, linkOverWebSocket } from "../link/ws.ts";
import { RequestPath } from "../proxy/request-path.ts";
import { type Agent, World } from "../proxy/testing.ts";
import { ReplicaClient } from "../replica/client.ts";
import { proxyListener } from "./proxy-listener.ts";

/**
 * The whole way in one process, over real sockets: client -> control plane -> WebSocket -> agent -> engine, and back.
 */
let world: World;
let engine: Server;
let engineAnswers: (request: IncomingMessage, response: ServerResponse) => void;
let control: Server;
let links: WebSocketServer;
let agentLink: Link;
let agentSocket: WebSocket;
const portOf = (server: Server) => (server.address() as AddressInfo).port;
const url = (path: string) => `http://127.0.0.1:${portOf(control)}/proxy/services/main/qwen${path}`;

/** The agent's part: passes a request on to the engine. */
const replicas = new ReplicaClient({ connectMs: 5_000, connectionsMax: 300 });
const agent: Agent = (open, body, signal) =>
  replicas.request(`http://127.0.0.1:${portOf(engine)}`, { ...open, body }, signal, () => undefined);

async function dial(): Promise<void> {
  const accepting = once(links, "connection") as Promise<[WebSocket]>;
  agentSocket = new WebSocket(`ws://127.0.0.1:${(links.address() as AddressInfo).port}`, LINK_SOCKET_OPTIONS);
  agentLink = linkOverWebSocket(agentSocket, {
    side: "dialled",
    handler: (open, body, signal) => agent(open as Parameters<Agent>[0], body, signal),
    later: setImmediate,
  });
  const [[socket]] = await Promise.all([accepting, once(agentSocket, "open")]);
  const link = linkOverWebSocket(socket, {
    side: "accepted",
    handler: () => Promise.reject(new Error("not served")),
    later: setImmediate,
  });
  world.links.set("a", link);
}

beforeAll(async () => {
  engine = createServer((incoming, response) => engineAnswers(incoming, response)).listen(0, "127.0.0.1");
  links = new WebSocketServer({ port: 0, host: "127.0.0.1", ...LINK_SOCKET_OPTIONS });
  await Promise.all([once(engine, "listening"), once(links, "listening")]);
});

beforeEach(async () => {
  world = new World();
  world.serve("qwen", ["a"]);
  await dial();
  control?.close();
  control = createServer(proxyListener(new RequestPath(world), () => undefined)).listen(0, "127.0.0.1");
  await once(control, "listening");
});

afterAll(async () => {
  for (const socket of links.clients) socket.terminate();
  await replicas.close();
  for (const server of [control, engine]) {
    server.closeAllConnections();
    server.close();
  }
  links.close();
});

describe("the proxy over real sockets", () => {
  it("passes each event on before the next is made", async () => {
    let write!: (event: string) => void;
    let finish!: () => void;
    engineAnswers = (_incoming, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      write = (event) => response.write(event);
      finish = () => response.end();
      write("data: 0\n\n");
    };
    const { body, statusCode } = await request(url("/v1/chat/completions"), { method: "POST", body: "{}" });
    expect(statusCode).toBe(200);
    let next = 1;
    for await (const chunk of body) {
      expect(chunk.toString()).toBe(`data: ${next - 1}\n\n`);
      if (next === 10) finish();
      else write(`data: ${next++}\n\n`);
    }
    expect(next).toBe(10);
  });

  it("carries 20 MiB up and down", async () => {
    engineAnswers = (incoming, response) => void incoming.pipe(response);
    const bytes = pattern(20 * 1024 * 1024);
    for (const body of [bytes, Readable.from(chunksOf(bytes))]) {
      const answer = await request(url("/echo"), { method: "POST", body });
      expect(Buffer.compare(new Uint8Array(await answer.body.arrayBuffer()), bytes)).toBe(0);
    }
  });

  it("lets a client that does not read stop the engine, and others go on", async () => {
    let written = 0;
    engineAnswers = (incoming, response) => {
      if (incoming.url === "/quick") return void response.end("quick");
      const piece = Buffer.alloc(64 * 1024);
      const push = () => {
        if (written >= 200 * 1024 * 1024 || response.destroyed) return;
        written += piece.byteLength;
        if (response.write(piece)) setImmediate(push);
        else response.once("drain", push);
      };
      push();
    };
    const slow = await request(url("/endless"));
    let before = -1;
    while (before !== written) {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    // Four sockets' buffers and one window, not the 200 MiB that the engine would send.
    expect(written).toBeLessThan(40 * 1024 * 1024);
    expect(await (await request(url("/quick"))).body.text()).toBe("quick");
    slow.body.on("error", () => undefined).destroy();
    await until(() => agentLink.openStreams === 0);
  });

  it.each(["before the head", "in the stream"])("tells the engine that the client is gone %s", async (when) => {
    const gone = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    engineAnswers = (_incoming, response) => {
      response.on("close", () => gone.resolve());
      if (when === "in the stream") response.writeHead(200).write("first");
      arrived.resolve();
    };
    const controller = new AbortController();
    const answer = request(url("/v1/x"), { method: "POST", body: "{}", signal: controller.signal });
    await arrived.promise;
    if (when === "in the stream") {
      const { body } = await answer;
      body.on("error", () => undefined);
      await once(body, "readable");
      controller.abort();
    } else {
      controller.abort();
      await expect(answer).rejects.toThrow();
    }
    await gone.promise;
    await until(() => agentLink.openStreams === 0 && world.links.get("a")!.openStreams === 0);
  });

  it("shows a cut to the client: as an event, or as a broken body", async () => {
    engineAnswers = (incoming, response) => {
      response.writeHead(200, { "content-type": incoming.url === "/sse" ? "text/event-stream" : "text/plain" });
      response.write("data: 1\n\n");
    };
    const events = await request(url("/sse"));
    await once(events.body, "readable");
    agentSocket.terminate();
    expect(await events.body.text()).toMatch(/^data: 1\n\n\n\ndata: \{"error":\{.*"code":"stream_cut"\}\}\n\n$/);

    await dial();
    const plain = await request(url("/plain"));
    await once(plain.body, "readable");
    agentSocket.terminate();
    await expect(plain.body.text()).rejects.toThrow();
  });

  it("runs 200 streams at once, each in order", async () => {
    engineAnswers = (incoming, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      let token = 0;
      const next = () => {
        if (token === 20) return void response.end();
        response.write(`data: ${incoming.url} ${token++}\n\n`);
        setImmediate(next);
      };
      next();
    };
    const client = new Pool(`http://127.0.0.1:${portOf(control)}`, { connections: 200 });
    const texts = await Promise.all(
      Array.from({ length: 200 }, async (_, i) => (await request(url(`/v1/${i}`), { dispatcher: client })).body.text()),
    );
    texts.forEach((text, i) => {
      expect(text).toBe(Array.from({ length: 20 }, (_, token) => `data: /v1/${i} ${token}\n\n`).join(""));
    });
    expect(world.links.get("a")!.openStreams).toBe(0);
    await client.close();
  });

  it("answers an upload that it refuses, and does not take the rest of it in", async () => {
    const socket = connect(portOf(control), "127.0.0.1");
    // Cut in the middle of writing, as it should be.
    socket.on("error", () => undefined);
    let answer = "";
    socket.on("data", (bytes) => {
      answer += bytes;
    });
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.write("POST /proxy/services/main/none/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000000\r\n\r\n");
    const piece = Buffer.alloc(64 * 1024);
    const more = () => {
      while (!socket.destroyed && socket.write(piece));
    };
    socket.on("drain", more);
    more();
    await closed;
    expect(answer).toContain("token_missing");
    expect(socket.bytesWritten).toBeLessThan(1_000_000_000_000);
  });

  it("says so of a request whose address cannot be read", async () => {
    const socket = connect(portOf(control), "127.0.0.1");
    socket.end("GET /proxy/services/main/qwen/x HTTP/1.1\r\nHost: [\r\nConnection: close\r\n\r\n");
    let answer = "";
    for await (const bytes of socket) answer += bytes;
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  });

  it("passes HEAD, empty answers and refusals on as they are", async () => {
    engineAnswers = (incoming, response) => {
      if (incoming.method === "HEAD") response.writeHead(200, { "content-length": "42" }).end();
      else response.writeHead(incoming.url === "/none" ? 204 : 400, { "x-why": "because" }).end();
    };
    const head = await request(url("/v1/models"), { method: "HEAD" });
    expect([head.statusCode, head.headers["content-length"], await head.body.text()]).toEqual([200, "42", ""]);
    expect((await request(url("/none"))).statusCode).toBe(204);
    const refused = await request(url("/other"));
    expect([refused.statusCode, refused.headers["x-why"], await refused.body.text()]).toEqual([400, "because", ""]);
  });
});

function* chunksOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 100_000) yield bytes.subarray(at, at + 100_000);
}
