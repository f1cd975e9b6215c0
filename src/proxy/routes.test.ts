import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { bytesOf, fed, pattern, pieces, settled, text, textOf, until } from "../link/testing.ts";
import type { LinkAnswer } from "../link/types.ts";
import { REFUSED_HEADER } from "../wire/index.ts";
import { ABSENCE_LIFE_MS, HOST_REQUESTS_MAX, KEPT_BODY_BYTES_MAX, SERVICE_REQUESTS_MAX } from "./limits.ts";
import { RequestPath } from "./request-path.ts";
import { proxyRoutes } from "./routes.ts";
import { type Agent, answered, errorOf, type HttpOpen, World } from "./testing.ts";

/** An app as the control plane mounts it. */
function appOf(world: World, options: ConstructorParameters<typeof RequestPath>[1] = {}) {
  const app = new Hono().route("/proxy", proxyRoutes(new RequestPath(world, options)));
  return (path: string, init: RequestInit & { duplex?: "half" } = {}) =>
    Promise.resolve(app.request(`http://headrace.test/proxy${path}`, init as RequestInit));
}

const chat = (model: string) => ({
  method: "POST",
  body: JSON.stringify({ model, messages: [] }),
  headers: { "content-type": "application/json" },
});

/** An agent that says which replica was asked, and what it was asked. */
const mirror: Agent = async (open, body) => answered(JSON.stringify({ ...open, body: await textOf(body) }));

/** How an agent says that no replica has seen a request. */
const REFUSED: [string, string][] = [[REFUSED_HEADER, "not_here"]];

const mirrored = async (response: Response) => (await response.json()) as HttpOpen & { body: string };

describe("a request to a service", () => {
  it("reaches a replica with its path, query and body, and comes back with status and headers", async () => {
    const world = new World();
    world.host("a", async (open, body) =>
      answered(`${open.replica} ${open.method} ${open.path} ${await textOf(body)}`, [["x-engine", "sim"]], 201),
    );
    world.serve("qwen", ["a"]);
    const response = await appOf(world)("/services/main/qwen/v1/x?a=%2F&b", { method: "PUT", body: "hello" });
    expect(response.status).toBe(201);
    expect(response.headers.get("x-engine")).toBe("sim");
    expect(response.headers.get("x-request-id")).toMatch(/./);
    expect(await response.text()).toBe("r-a PUT /v1/x?a=%2F&b hello");
  });

  it("asks nobody about what cannot be a name or a token: whoever writes it must not fill what is held", async () => {
    const world = new World();
    const get = appOf(world);
    const long = "x".repeat(10_000);
    const status = async (path: string, token: string) =>
      (await get(path, { headers: { authorization: `Bearer ${token}` } })).status;
    expect(await status(`/services/${long}/qwen/v1/x`, "good")).toBe(401);
    expect(await status("/services/Main/qwen/v1/x", "good")).toBe(401);
    expect(await status(`/models/${long}/v1/models`, "good")).toBe(401);
    expect(world.asked).toEqual({ service: 0, models: 0, authorize: 0, wayBack: 0 });
    expect(await status(`/services/main/${long}/v1/x`, "good")).toBe(404);
    expect(await status("/models/main/v1/models", long)).toBe(401);
    expect(world.asked).toEqual({ service: 0, models: 1, authorize: 1, wayBack: 0 });
  });

  it("is refused without a token, with a wrong one, and for a project of others", async () => {
    const world = new World();
    world.host("a", mirror);
    world.serve("qwen", ["a"], { auth: true });
    const get = appOf(world);
    const as = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
    expect(await errorOf(await get("/services/main/qwen/v1/models"))).toMatchObject({
      status: 401,
      code: "token_missing",
      type: "authentication_error",
      param: null,
    });
    expect(await errorOf(await get("/services/main/qwen/v1/models", as("bad")))).toMatchObject({
      status: 401,
      code: "invalid_token",
    });
    // Whether a service exists is nobody's business without a token either.
    expect((await get("/services/main/none/v1/models")).status).toBe(401);
    expect((await get("/services/other/qwen/v1/models", as("good"))).status).toBe(401);
    expect(await errorOf(await get("/services/main/none/v1/models", as("good")))).toMatchObject({
      status: 404,
      code: "service_not_found",
      message: "project main has no service none",
    });
  });

  it("reaches one that was made a moment after it was asked for, and asks no more often for one that is not there", async () => {
    const world = new World();
    world.host("a", mirror);
    let clock = 0;
    const get = appOf(world, { now: () => clock });
    const status = async () =>
      (await get("/services/main/qwen/v1/models", { headers: { authorization: "Bearer good" } })).status;
    expect([await status(), await status(), await status()]).toEqual([404, 404, 404]);
    expect(world.asked.service).toBe(1);
    world.serve("qwen", ["a"], { auth: true });
    clock += ABSENCE_LIFE_MS;
    expect(await status()).toBe(200);
    expect(world.asked.service).toBe(2);
  });

  it("does not carry the caller's token to the replica", async () => {
    const world = new World();
    world.host("a", mirror);
    world.serve("qwen", ["a"], { auth: true });
    const response = await appOf(world)("/services/main/qwen/v1/models", { headers: { authorization: "Bearer good" } });
    expect(JSON.stringify(await mirrored(response))).not.toContain("good");
  });

  it("in front of a router is held to inference, in the spelling that was checked", async () => {
    const world = new World();
    world.host("a", mirror);
    world.serve("pd", ["a"], { router: true });
    const get = appOf(world);
    expect((await mirrored(await get("/services/main/pd//v1/./models?x=1"))).path).toBe("/v1/models?x=1");
    for (const path of ["/workers", "//workers", "/v1/..%2fworkers", "/v1/%2e%2e%2fworkers", ""]) {
      expect(await errorOf(await get(`/services/main/pd${path}`))).toMatchObject({
        status: 403,
        code: "path_not_allowed",
      });
    }
    expect(await errorOf(await get("/services/main/pd/v1/%zz"))).toMatchObject({ status: 400, code: "invalid_path" });
  });

  it("goes to any path where there is no router", async () => {
    const world = new World();
    world.host("a", mirror);
    world.serve("qwen", ["a"]);
    expect((await mirrored(await appOf(world)("/services/main/qwen/get_model_info"))).path).toBe("/get_model_info");
  });

  it("keeps the proxy's own prefix for a service that wants it", async () => {
    const world = new World();
    world.host("a", mirror);
    world.serve("app", ["a"], { stripPrefix: false });
    world.serve("pd", ["a"], { stripPrefix: false, router: true });
    const get = appOf(world);
    const { path, headers } = await mirrored(await get("/services/main/app/docs/../ui?x=1"));
    expect(path).toBe("/proxy/services/main/app/ui?x=1");
    expect(headers.map(([name]) => name)).not.toContain("x-forwarded-prefix");
    expect((await mirrored(await get("/services/main/app"))).path).toBe("/proxy/services/main/app/");
    expect((await get("/services/main/pd/workers")).status).toBe(403);
  });

  it("says why there is no replica", async () => {
    const world = new World();
    world.serve("qwen", [], { message: "group decode: pulling the image on host-1" });
    const response = await appOf(world)("/services/main/qwen/v1/models");
    expect(response.headers.get("retry-after")).toBe("1");
    expect(await errorOf(response)).toMatchObject({
      status: 503,
      code: "no_replica",
      message: "group decode: pulling the image on host-1",
    });
  });

  it("goes to a router that is not ready, which may serve by now; where its agent refuses, there is no replica", async () => {
    const world = new World();
    world.host("a", mirror);
    world.host("b", async () => answered(null, REFUSED, 421));
    const targetOf = (host: string) => [{ replica: `r-${host}`, host, unready: true as const }];
    const message = "router 0 of 1 ready";
    world.serve("serves", ["a"], { router: true, message, targets: targetOf("a") });
    world.serve("hangs", ["b"], { router: true, message, targets: targetOf("b") });
    const get = appOf(world);
    expect(await mirrored(await get("/services/main/serves/v1/models"))).toMatchObject({ replica: "r-a" });
    expect(await errorOf(await get("/services/main/hangs/v1/models"))).toMatchObject({
      status: 503,
      code: "no_replica",
      message,
    });
  });

  it("is refused clearly where it is a WebSocket, an odd method or an odd route", async () => {
    const get = appOf(new World());
    expect(await errorOf(await get("/services/main/qwen/ws", { headers: { upgrade: "websocket" } }))).toMatchObject({
      status: 501,
      code: "websocket_not_supported",
    });
    expect(await errorOf(await get("/services/main/qwen/x", { method: "PROPFIND" }))).toMatchObject({ status: 405 });
    expect(await errorOf(await get("/nothing"))).toMatchObject({ status: 404, code: "route_not_found" });
    expect(await errorOf(await get("/services/main"))).toMatchObject({ status: 404, code: "route_not_found" });
  });

  it("with HEAD and OPTIONS gets heads", async () => {
    const world = new World();
    const source = fed();
    world.host("a", async (open) =>
      open.method === "HEAD"
        ? answered(source.body, [["content-length", "7"]])
        : answered(null, [["allow", "GET"]], 204),
    );
    world.serve("qwen", ["a"]);
    const get = appOf(world);
    const head = await get("/services/main/qwen/v1/models", { method: "HEAD" });
    expect([head.status, head.body, head.headers.get("content-length")]).toEqual([200, null, "7"]);
    await source.cancelled;
    const options = await get("/services/main/qwen/v1/models", { method: "OPTIONS" });
    expect([options.status, options.body, options.headers.get("allow")]).toEqual([204, null, "GET"]);
    const refused = await get("/services/main/none/v1/models", { method: "HEAD" });
    expect([refused.status, refused.body]).toEqual([401, null]);
  });

  it("with too many headers is refused before it is sent", async () => {
    const world = new World();
    world.host("a", mirror);
    world.serve("qwen", ["a"]);
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`x-${i}`, "1"]));
    expect((await appOf(world)("/services/main/qwen/v1/models", { headers: many })).status).toBe(431);
    const large = { "x-large": "a".repeat(70_000) };
    expect((await appOf(world)("/services/main/qwen/v1/models", { headers: large })).status).toBe(431);
  });

  it.each([0, 1, 65_537, KEPT_BODY_BYTES_MAX, KEPT_BODY_BYTES_MAX + 1, 5 * 1024 * 1024])(
    "carries a body of %i bytes, with and without its length",
    async (size) => {
      const world = new World();
      world.host("a", async (_open, body) => answered(await bytesOf(body)));
      world.serve("qwen", ["a"]);
      const bytes = pattern(size);
      for (const headers of [{}, { "content-length": String(size) }] as Record<string, string>[]) {
        const init = { method: "POST", body: pieces(bytes, 60_000).body, headers, duplex: "half" as const };
        const response = await appOf(world)("/services/main/qwen/v1/x", init);
        expect(Buffer.compare(new Uint8Array(await response.arrayBuffer()), bytes)).toBe(0);
      }
    },
  );

  it("is answered piece by piece", async () => {
    const world = new World();
    const source = fed();
    world.host("a", async () => answered(source.body, [["content-type", "text/event-stream"]]));
    world.serve("qwen", ["a"]);
    const response = await appOf(world)("/services/main/qwen/v1/chat/completions", chat("m"));
    const reader = response.body!.getReader();
    for (const token of ["data: 1\n\n", "data: 2\n\n"]) {
      source.give(token);
      expect(new TextDecoder().decode((await reader.read()).value)).toBe(token);
    }
    source.controller.close();
    expect((await reader.read()).done).toBe(true);
  });

  it("that the client gives up is given up by the replica", async () => {
    const world = new World();
    const source = fed();
    const seen = Promise.withResolvers<AbortSignal>();
    world.host("a", async (open, _body, signal) => {
      seen.resolve(signal);
      return open.path === "/stream" ? answered(source.body) : new Promise<LinkAnswer>(() => undefined);
    });
    world.serve("qwen", ["a"]);
    const get = appOf(world);
    const streaming = await get("/services/main/qwen/stream");
    await streaming.body!.cancel();
    await source.cancelled;

    const controller = new AbortController();
    const waiting = get("/services/main/qwen/wait", { signal: controller.signal });
    const link = world.links.get("a")!;
    await until(() => link.openStreams === 1);
    controller.abort();
    expect((await waiting).status).toBe(499);
    await until(() => link.openStreams === 0);
  });
});

describe("a cut", () => {
  it("of an event stream is told as an error, then the stream ends", async () => {
    const world = new World();
    const source = fed();
    const link = world.host("a", async () =>
      answered(source.body, [["content-type", "text/event-stream; charset=utf-8"]]),
    );
    world.serve("qwen", ["a"]);
    const response = await appOf(world)("/services/main/qwen/v1/chat/completions", chat("m"));
    const reader = response.body!.getReader();
    source.give("data: {}\n\n");
    await reader.read();
    link.close("the agent is gone");
    const last = new TextDecoder().decode((await reader.read()).value);
    expect(last.startsWith("\n\ndata: ")).toBe(true);
    expect(JSON.parse(last.trim().slice(6))).toMatchObject({ error: { code: "stream_cut", type: "upstream_error" } });
    expect((await reader.read()).done).toBe(true);
  });

  it("of any other stream breaks it", async () => {
    const world = new World();
    const source = fed();
    world.host("a", async () => answered(source.body, [["content-type", "application/octet-stream"]]));
    world.serve("qwen", ["a"]);
    const response = await appOf(world)("/services/main/qwen/file");
    source.controller.error(new Error("disk"));
    await expect(response.text()).rejects.toThrow("disk");
  });

  it("comes when nothing moves: 504 before the head, an event after it", async () => {
    const world = new World();
    const source = fed();
    const never = new Promise<LinkAnswer>(() => undefined);
    world.host("a", async (open) =>
      open.path === "/wait" ? never : answered(source.body, [["content-type", "text/event-stream"]]),
    );
    world.serve("qwen", ["a"]);
    const get = appOf(world, { idleMsMax: 20 });
    expect(await errorOf(await get("/services/main/qwen/wait"))).toMatchObject({ status: 504, code: "idle" });
    const response = await get("/services/main/qwen/stream");
    expect(await response.text()).toContain('"code":"idle"');
    await source.cancelled;
    expect(world.links.get("a")!.openStreams).toBe(0);
  });
});

describe("a request that takes long", () => {
  it("is not cut while something moves, however long it takes in all", async () => {
    const world = new World();
    const source = fed();
    world.host("a", async () => answered(source.body, [["content-type", "text/event-stream"]]));
    world.serve("qwen", ["a"]);
    let clock = 0;
    const get = appOf(world, { now: () => clock, idleMsMax: 30 });
    const response = await get("/services/main/qwen/stream");
    const reader = response.body!.getReader();
    // The clock is the test's, so that only what moved counts; the timer that reads it is real and fires in between.
    for (let i = 0; i < 5; i++) {
      clock += 20;
      source.give(`${i}`);
      expect(new TextDecoder().decode((await reader.read()).value)).toBe(`${i}`);
      await new Promise((resolve) => setTimeout(resolve, 35));
    }
    clock += 30;
    expect(new TextDecoder().decode((await reader.read()).value)).toContain('"code":"idle"');
  });
});

describe("the choice of a replica", () => {
  it("goes in turns, and to the one with the fewest requests", async () => {
    const world = new World();
    const gate = Promise.withResolvers<void>();
    const asked: string[] = [];
    const agent: Agent = async (open) => {
      asked.push(open.replica);
      if (open.path === "/slow") await gate.promise;
      return answered("ok");
    };
    for (const host of ["a", "b", "c"]) world.host(host, agent);
    world.serve("qwen", ["a", "b", "c"]);
    const get = appOf(world);
    for (let i = 0; i < 6; i++) await (await get("/services/main/qwen/x")).text();
    expect(asked.toSorted()).toEqual(["r-a", "r-a", "r-b", "r-b", "r-c", "r-c"]);
    asked.length = 0;
    const slow = [get("/services/main/qwen/slow"), get("/services/main/qwen/slow")];
    await until(() => asked.length === 2);
    const [free] = ["r-a", "r-b", "r-c"].filter((replica) => !asked.includes(replica));
    for (let i = 0; i < 4; i++) await (await get("/services/main/qwen/x")).text();
    expect(asked.slice(2)).toEqual([free, free, free, free]);
    gate.resolve();
    await Promise.all(slow);
  });

  it("passes over a host without a link, and one whose agent does not run the replica", async () => {
    const world = new World();
    world.host("b", async () => answered("not here", REFUSED, 421));
    world.host("c", mirror);
    world.serve("qwen", ["a", "b", "c"]);
    const get = appOf(world);
    for (let i = 0; i < 6; i++) {
      expect((await mirrored(await get("/services/main/qwen/x", { method: "POST", body: "kept" }))).body).toBe("kept");
    }
  });

  it("passes over a replica that accepts no connection, and says so when there is no other", async () => {
    const world = new World();
    const unreachable: [string, string][] = [[REFUSED_HEADER, "unreachable"]];
    world.host("b", async () => answered("no connection", unreachable, 421));
    world.host("c", mirror);
    world.serve("qwen", ["b", "c"]);
    world.serve("alone", ["b"]);
    const get = appOf(world);
    for (let i = 0; i < 6; i++) {
      expect((await mirrored(await get("/services/main/qwen/x", { method: "POST", body: "kept" }))).body).toBe("kept");
    }
    expect(await errorOf(await get("/services/main/alone/x"))).toMatchObject({
      status: 502,
      code: "replica_unreachable",
    });
  });

  it("goes to another router when one has no worker for it, and passes the answer of that one on when none has", async () => {
    const world = new World();
    const asked: string[] = [];
    const noWorker = { header: "x-smg-error-code", codes: ["no_available_workers"] };
    const turnAway = async ({ replica }: HttpOpen) => {
      asked.push(replica);
      const body = '{"error":"no workers"}';
      const headers: [string, string][] = [
        ["x-smg-error-code", "no_available_workers"],
        ["content-length", String(body.length)],
      ];
      return answered(body, headers, 503);
    };
    for (const host of ["a", "b"]) world.host(host, turnAway);
    world.host("c", mirror);
    world.serve("pd", ["a", "b", "c"], { router: true, noWorker });
    world.serve("empty", ["a", "b"], { router: true, noWorker });
    world.serve("plain", ["a", "b"]);
    const get = appOf(world);
    for (let i = 0; i < 3; i++) {
      const response = await get("/services/main/pd/v1/completions", { method: "POST", body: "kept" });
      expect(await mirrored(response)).toMatchObject({ replica: "r-c", body: "kept" });
    }
    asked.length = 0;
    const empty = await get("/services/main/empty/v1/completions", { method: "POST", body: "kept" });
    expect([empty.status, await empty.text(), asked.length]).toEqual([503, '{"error":"no workers"}', 2]);
    // Nobody was asked for a fresh look at the service: its routers are where they were.
    const looks = world.asked.service;
    asked.length = 0;
    expect((await get("/services/main/plain/v1/completions", { method: "POST", body: "kept" })).status).toBe(503);
    expect([asked.length, world.asked.service]).toEqual([1, looks + 1]);
  });

  it("passes a replica's own 421 on", async () => {
    const world = new World();
    let asked = 0;
    world.host("a", async () => {
      asked += 1;
      return answered("of the replica", [], 421);
    });
    world.serve("qwen", ["a"]);
    const response = await appOf(world)("/services/main/qwen/x");
    expect([response.status, await response.text(), asked]).toEqual([421, "of the replica", 1]);
  });

  it("looks at the service again when all it knew has moved", async () => {
    const world = new World();
    world.host("a", async () => {
      world.serve("qwen", ["b"], { version: 2 });
      return answered("moved", REFUSED, 421);
    });
    world.host("b", mirror);
    world.serve("qwen", ["a"]);
    const response = await appOf(world)("/services/main/qwen/x", { method: "POST", body: "again" });
    expect(await mirrored(response)).toMatchObject({ replica: "r-b", body: "again" });
    expect(world.asked.service).toBe(2);
  });

  it("says so when no host is connected, after one more look", async () => {
    const world = new World();
    world.serve("qwen", ["a", "b"]);
    expect(await errorOf(await appOf(world)("/services/main/qwen/x"))).toMatchObject({
      status: 503,
      code: "hosts_unreachable",
    });
    expect(world.asked.service).toBe(2);
  });

  it("tries a request that failed on the way once more, and only once", async () => {
    const world = new World();
    const asked: string[] = [];
    for (const host of ["a", "b", "c"]) {
      world.host(host, async (open) => {
        asked.push(open.replica);
        throw new Error("connection refused");
      });
    }
    world.serve("qwen", ["a", "b", "c"]);
    const refusal = await errorOf(await appOf(world)("/services/main/qwen/x", { method: "POST", body: "poison" }));
    expect(refusal).toMatchObject({
      status: 502,
      code: "replica_failed",
      message: "a replica of qwen failed: connection refused",
    });
    expect(new Set(asked).size).toBe(2);
    expect(asked.length).toBe(2);
  });

  it("does not count what failed as under way", async () => {
    const world = new World();
    world.host("a", () => Promise.reject(new Error("connection refused")));
    world.serve("qwen", ["a"]);
    const get = appOf(world);
    await Promise.all(Array.from({ length: HOST_REQUESTS_MAX }, () => get("/services/main/qwen/x")));
    expect((await get("/services/main/qwen/x")).status).toBe(502);
  });

  it("does not repeat a large body that a replica may have seen", async () => {
    const world = new World();
    let asked = 0;
    for (const host of ["a", "b"]) {
      world.host(host, async () => {
        asked += 1;
        throw new Error("connection refused");
      });
    }
    world.serve("qwen", ["a", "b"]);
    const body = pieces(pattern(KEPT_BODY_BYTES_MAX + 1), 60_000).body;
    const response = await appOf(world)("/services/main/qwen/x", { method: "POST", body, duplex: "half" });
    expect(await errorOf(response)).toMatchObject({ status: 502, code: "replica_failed" });
    await settled(3);
    expect(asked).toBe(1);
  });

  it("sends a large body elsewhere when it was not touched", async () => {
    const world = new World();
    world.host("a", mirror).close("the agent is gone");
    world.host("b", async (_open, body) => answered(String((await bytesOf(body)).byteLength)));
    world.serve("qwen", ["a", "b"]);
    const get = appOf(world);
    for (let i = 0; i < 2; i++) {
      const body = pieces(pattern(KEPT_BODY_BYTES_MAX + 1), 60_000).body;
      const response = await get("/services/main/qwen/x", { method: "POST", body, duplex: "half" });
      expect(await response.text()).toBe(String(KEPT_BODY_BYTES_MAX + 1));
    }
  });

  it("does not repeat a large body, and says that the client may", async () => {
    const world = new World();
    const asked: string[] = [];
    for (const host of ["a", "b"]) {
      world.host(host, async (open) => {
        asked.push(open.replica);
        return answered("moved", REFUSED, 421);
      });
    }
    world.serve("qwen", ["a", "b"]);
    const init = {
      method: "POST",
      body: pieces(pattern(KEPT_BODY_BYTES_MAX + 1), 60_000).body,
      duplex: "half" as const,
    };
    expect(await errorOf(await appOf(world)("/services/main/qwen/x", init))).toMatchObject({
      status: 503,
      code: "replica_moved",
    });
    await settled(3);
    expect(asked.length).toBe(1);
  });

  it("refuses what a host cannot take, and takes more when that is over", async () => {
    const world = new World();
    const gate = Promise.withResolvers<void>();
    const link = world.host("a", async () => {
      await gate.promise;
      return answered("ok");
    });
    world.serve("qwen", ["a"]);
    const get = appOf(world);
    const all = Array.from({ length: HOST_REQUESTS_MAX }, () => get("/services/main/qwen/x"));
    await until(() => link.openStreams === HOST_REQUESTS_MAX);
    const refused = await get("/services/main/qwen/x");
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(await errorOf(refused)).toMatchObject({ status: 429, code: "too_many_requests" });
    gate.resolve();
    expect(new Set((await Promise.all(all)).map((response) => response.status))).toEqual(new Set([200]));
    expect((await get("/services/main/qwen/x")).status).toBe(200);
  });

  it("refuses what a service may not have, however many hosts it has", async () => {
    const world = new World();
    const gate = Promise.withResolvers<void>();
    const hosts = ["a", "b", "c", "d", "e"];
    for (const host of hosts) {
      world.host(host, async () => {
        await gate.promise;
        return answered("ok");
      });
    }
    world.serve("qwen", hosts);
    const get = appOf(world);
    const open = () => hosts.reduce((sum, host) => sum + world.links.get(host)!.openStreams, 0);
    const all = Array.from({ length: SERVICE_REQUESTS_MAX }, () => get("/services/main/qwen/x"));
    await until(() => open() === SERVICE_REQUESTS_MAX);
    expect((await get("/services/main/qwen/x")).status).toBe(429);
    gate.resolve();
    await Promise.all(all);
    expect((await get("/services/main/qwen/x")).status).toBe(200);
  });

  it("answers 502 to an answer that HTTP does not allow", async () => {
    const world = new World();
    world.host("a", async (open) =>
      open.path === "/101" ? answered(null, [], 101) : answered("", [["bad name", "x"]]),
    );
    world.serve("qwen", ["a"]);
    const get = appOf(world);
    expect(await errorOf(await get("/services/main/qwen/101"))).toMatchObject({ status: 502, code: "invalid_answer" });
    expect(await errorOf(await get("/services/main/qwen/x"))).toMatchObject({ status: 502, code: "invalid_answer" });
  });

  it("leaves no stream open for an answer that is refused", async () => {
    const world = new World();
    const endless = fed();
    const link = world.host("a", async () => answered(endless.body, [["content-length", "many"]]));
    world.serve("qwen", ["a"]);
    expect(await errorOf(await appOf(world)("/services/main/qwen/x"))).toMatchObject({ code: "invalid_answer" });
    await endless.cancelled;
    expect(link.openStreams).toBe(0);
  });
});

describe("a request by model", () => {
  function world(): World {
    const made = new World();
    made.host("a", mirror);
    made.serve("closed", ["a"], { auth: true, model: { name: "org/closed", prefix: "/v1" } });
    made.serve("empty", [], { auth: true, model: { name: "org/closed", prefix: "/v1" } });
    made.serve("open", ["a"], { model: { name: "org/open", prefix: "/api/v2/" } });
    return made;
  }
  const as = (init: RequestInit, token: string) => ({
    ...init,
    headers: { ...(init.headers as object), authorization: `Bearer ${token}` },
  });

  it.each(["", "/v1"])("finds the service under %j", async (form) => {
    const response = await appOf(world())(`/models/main${form}/chat/completions?x=1`, as(chat("org/closed"), "good"));
    expect(await mirrored(response)).toMatchObject({
      replica: "r-a",
      path: "/v1/chat/completions?x=1",
      body: chat("org/closed").body,
    });
  });

  it("goes below the model's prefix", async () => {
    const response = await appOf(world())("/models/main/v1/embeddings", chat("org/open"));
    expect((await mirrored(response)).path).toBe("/api/v2/embeddings");
  });

  it.each(["/models", "/v1/models"])("lists what the caller may use at %s", async (path) => {
    const get = appOf(world());
    const names = async (response: Response) =>
      ((await response.json()) as { data: { id: string; object: string }[] }).data.map(({ id }) => id);
    expect(await names(await get(`/models/main${path}`))).toEqual(["org/open"]);
    expect(await names(await get(`/models/main${path}`, as({}, "good")))).toEqual(["org/closed", "org/open"]);
    expect(await (await get(`/models/main${path}`)).json()).toEqual({
      object: "list",
      data: [{ id: "org/open", object: "model", created: 0, owned_by: "headrace" }],
    });
    expect(await errorOf(await get(`/models/none${path}`))).toMatchObject({ status: 401 });
  });

  it("finds and lists what was made ready a moment ago, and lists no more what was stopped", async () => {
    const made = world();
    let clock = 0;
    const get = appOf(made, { now: () => clock });
    const names = async () => {
      const { data } = (await (await get("/models/main/models")).json()) as { data: { id: string }[] };
      return data.map(({ id }) => id);
    };
    const status = async () => (await get("/models/main/chat/completions", chat("org/new"))).status;
    expect([await names(), await status()]).toEqual([["org/open"], 404]);
    made.serve("new", [], { model: { name: "org/new", prefix: "/v1" } });
    clock += ABSENCE_LIFE_MS;
    expect(await status()).toBe(503);
    made.serve("new", ["a"], { model: { name: "org/new", prefix: "/v1" } });
    clock += ABSENCE_LIFE_MS;
    expect([await status(), await names()]).toEqual([200, ["org/new", "org/open"]]);
    made.entries.delete("main/open");
    clock += ABSENCE_LIFE_MS;
    expect(await names()).toEqual(["org/new"]);
    // Whoever asks for what nobody has is answered from what is held.
    const before = made.asked.models;
    for (let n = 0; n < 20; n += 1) await get("/models/main/chat/completions", chat(`org/${n}`));
    expect(made.asked.models).toBe(before);
  });

  it("is refused in the words of OpenAI's API", async () => {
    const get = appOf(world());
    expect(await errorOf(await get("/models/main/v1/chat/completions", as(chat("nope"), "good")))).toMatchObject({
      status: 404,
      code: "model_not_found",
      param: "model",
      message: "The model `nope` does not exist or you do not have access to it.",
    });
    // A model that needs a token is no model for those without one.
    expect((await get("/models/main/v1/chat/completions", chat("org/closed"))).status).toBe(404);
    const post = (body: string) => get("/models/main/chat/completions", { method: "POST", body });
    expect(await errorOf(await post("{"))).toMatchObject({ status: 400, code: "invalid_json" });
    expect(await errorOf(await post("{}"))).toMatchObject({ status: 400, code: "model_missing", param: "model" });
    expect(await errorOf(await post("null"))).toMatchObject({ status: 400, code: "model_missing" });
    expect(await errorOf(await post(""))).toMatchObject({ status: 400, code: "model_missing" });
    expect((await get("/models/main/chat/completions")).status).toBe(405);
    expect((await get("/models/main/workers", { method: "POST" })).status).toBe(404);
  });

  it("does not read a body without bound for its model", async () => {
    const body = new Uint8Array(KEPT_BODY_BYTES_MAX + 1).fill(32);
    body.set(text('{"model":"org/open"}'));
    const response = await appOf(world())("/models/main/chat/completions", { method: "POST", body });
    expect(await errorOf(response)).toMatchObject({ status: 413, code: "body_too_large" });
  });
});
