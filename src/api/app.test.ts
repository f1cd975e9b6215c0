import { describe, expect, test } from "vitest";
import { ControlError, type ControlErrorCode } from "../control/types.ts";
import { StoreError } from "../store/errors.ts";
import { UnclearOutcome } from "../store/types.ts";
import { createApp, OPENAPI_PATH } from "./app.ts";
import { ERROR_STATUS } from "./errors.ts";
import { commit, FakeControl, TOKENS } from "./testing/fake-control.ts";

const KEY = "0123456789abcdef";
const FILE = { config: "type: service", file: "chat.yml" };

function setUp() {
  const control = new FakeControl();
  const reported: { id: string; error: unknown }[] = [];
  const app = createApp(control, {
    version: "0.0.0-test",
    report: (id, error) => reported.push({ id, error }),
    install: async () => ({ type: "text/plain", open: () => "" }),
  });
  const call = (method: string, path: string, init: { token?: string; body?: unknown; headers?: object } = {}) =>
    app.request(path, {
      method,
      headers: {
        ...(init.token === undefined ? {} : { Authorization: `Bearer ${init.token}` }),
        ...(init.body === undefined ? {} : { "Content-Type": "application/json" }),
        ...init.headers,
      },
      ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
    });
  return { control, app, call, reported };
}

type Operation = { method: string; path: string; change: boolean; body: boolean; missing: string | undefined };

interface Described {
  parameters?: { name: string }[];
  requestBody?: unknown;
  responses?: Record<string, { description: string }>;
}

/** Every route, read out of the document that the server itself serves. */
async function operations(): Promise<Operation[]> {
  const { app } = setUp();
  const document = (await (await app.request(OPENAPI_PATH)).json()) as {
    paths: Record<string, Record<string, Described>>;
  };
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      change: (operation.parameters ?? []).some((parameter) => parameter.name === "idempotency-key"),
      body: operation.requestBody !== undefined,
      missing: operation.responses?.["404"]?.description,
    })),
  );
}

const all = await operations();
const concrete = (path: string, project = "main") =>
  path
    .replace("{project}", project)
    .replace("{service}", "chat")
    .replace("{host}", "host-1")
    .replace("{fleet}", "rack-1")
    .replace("{secret}", "TOKEN")
    .replace("{token}", "t1")
    .replace("{sha256}", "0f".repeat(32));

/** The only routes that need no token. Adding one here is a decision. */
const OPEN = ["/health", "/install/{file}"];

/** Changes that a member may not make; of tokens it may not even see which there are. */
const ADMINS_ONLY = [
  "/tokens",
  "/tokens/{token}",
  "/hosts/{host}",
  "/hosts/{host}/cordon",
  "/hosts/{host}/drain",
  "/hosts/{host}/uncordon",
  "/fleets",
  "/fleets/{fleet}",
  "/secrets/{secret}",
];

/** What each holder gets at a route, a well-formed request given; `pass` is anything but 401 and 403. */
function expected(operation: Operation, holder: keyof typeof TOKENS | "none" | "unknown"): 401 | 403 | "pass" {
  if (OPEN.includes(operation.path)) return "pass";
  if (holder === "none" || holder === "unknown") return 401;
  if (/^\/agent\/(sync|files|leave)/.test(operation.path)) return holder === "host" ? "pass" : 403;
  if (operation.path === "/agent/join") return holder === "join" ? "pass" : 403;
  if (holder === "host" || holder === "join") return 403;
  if (holder === "other-admin") return operation.path.includes("{project}") ? 403 : "pass";
  const isRead = operation.method === "GET" && !operation.path.endsWith("/tokens");
  if (holder === "member" && ADMINS_ONLY.some((path) => operation.path.endsWith(path)) && !isRead) return 403;
  return "pass";
}

test.each(["service", "host", "fleet", "secret", "token"])(
  "the document says of a missing %s what is missing",
  (what) => {
    const told = all.flatMap(({ path, missing }) => (path.includes(`/{${what}}`) && missing ? [missing] : []));
    expect(new Set(told)).toEqual(new Set([`There is no such ${what}.`]));
  },
);

describe("every route x every holder of a token", () => {
  const holders = ["none", "unknown", "admin", "member", "host", "join", "other-admin"] as const;
  const table = all.flatMap((operation) => holders.map((holder) => ({ ...operation, holder })));

  test("the document lists the routes", () => {
    expect(all.map(({ method, path }) => `${method} ${path}`).sort()).toMatchInlineSnapshot(`
      [
        "DELETE /api/projects/{project}/fleets/{fleet}",
        "DELETE /api/projects/{project}/hosts/{host}",
        "DELETE /api/projects/{project}/secrets/{secret}",
        "DELETE /api/projects/{project}/services/{service}",
        "DELETE /api/projects/{project}/tokens/{token}",
        "GET /agent/files/{sha256}",
        "GET /agent/join",
        "GET /api/me",
        "GET /api/projects/{project}/commits",
        "GET /api/projects/{project}/commits/stream",
        "GET /api/projects/{project}/fleets",
        "GET /api/projects/{project}/hosts",
        "GET /api/projects/{project}/hosts/{host}",
        "GET /api/projects/{project}/secrets",
        "GET /api/projects/{project}/services",
        "GET /api/projects/{project}/services/{service}",
        "GET /api/projects/{project}/services/{service}/logs",
        "GET /api/projects/{project}/tokens",
        "GET /health",
        "GET /install/{file}",
        "POST /agent/join",
        "POST /agent/leave",
        "POST /agent/sync",
        "POST /api/projects/{project}/apply",
        "POST /api/projects/{project}/fleets",
        "POST /api/projects/{project}/fleets/plan",
        "POST /api/projects/{project}/hosts/{host}/cordon",
        "POST /api/projects/{project}/hosts/{host}/drain",
        "POST /api/projects/{project}/hosts/{host}/uncordon",
        "POST /api/projects/{project}/plan",
        "POST /api/projects/{project}/services/{service}/stop",
        "POST /api/projects/{project}/tokens",
        "PUT /api/projects/{project}/files/{sha256}",
        "PUT /api/projects/{project}/secrets/{secret}",
      ]
    `);
  });

  test("the document leaves out no route that the app has", () => {
    const { app } = setUp();
    const handlers = app.routes.filter(({ method }) => method !== "ALL");
    const served = new Set(handlers.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`));
    const documented = all.map(({ method, path }) => `${method} ${path}`);
    expect([...served].sort()).toEqual([...documented, `GET ${OPENAPI_PATH}`].sort());
  });

  test.each(table)("$holder: $method $path", async ({ holder, ...operation }) => {
    const { call, control } = setUp();
    control.add(commit(1));
    const token = holder === "none" ? {} : { token: holder === "unknown" ? "nobody" : TOKENS[holder] };
    const response = await call(operation.method, concrete(operation.path), {
      ...token,
      ...(operation.body ? { body: bodyOf(operation) } : {}),
      headers: { "Idempotency-Key": KEY },
    });
    const want = expected(operation, holder);
    if (want === "pass") {
      expect(response.status).toBe(operation.path.includes("/files/") && operation.method === "PUT" ? 204 : 200);
      await response.body?.cancel();
      return;
    }
    expect(response.status).toBe(want);
    expect(control.changes).toEqual([]);
    const { error } = (await response.json()) as { error: { code: string } };
    expect(error.code).toBe(want === 401 ? "unauthorized" : "forbidden");
  });

  test("a project that does not exist is refused like another's", async () => {
    const { call } = setUp();
    const [mine, none] = await Promise.all(
      ["other", "no-such-project"].map(async (project) => {
        const response = await call("GET", `/api/projects/${project}/services`, { token: TOKENS.admin });
        return [response.status, await response.text()];
      }),
    );
    expect(mine).toEqual(none);
  });
});

const TOKEN = { kind: "member", name: "ci" };
const JOIN = {
  name: "box",
  machine: "m1",
  credentialHash: "0".repeat(64),
  agentVersion: "0.1.0",
  inventory: {
    address: "10.0.0.1",
    arch: "x86",
    cpus: 8,
    memoryGib: 32,
    diskGib: 100,
    accelerators: [],
    runtimes: ["process"],
    warnings: [],
  },
};

const SYNC = {
  agent: { version: "0.1.0", bootId: "b", machine: "m1", incarnation: "i" },
  seq: 7,
  applied: { version: 0, hash: "" },
  inventory: JOIN.inventory,
  busyPorts: [],
  jobs: [],
  routers: [],
};

function bodyOf({ path }: Operation): object {
  if (path === "/agent/sync") return SYNC;
  if (path === "/agent/join") return JOIN;
  if (path.includes("/hosts/{host}/")) return { reason: "new disk" };
  if (path.endsWith("/secrets/{secret}")) return { value: "plain" };
  return path.endsWith("/tokens") ? TOKEN : FILE;
}

describe("a sync without a link", () => {
  test("speaks for the host whose credential it carries, and is answered as one over the link", async () => {
    const { call, control } = setUp();
    const response = await call("POST", "/agent/sync", { token: TOKENS.host, body: SYNC });
    expect(await response.json()).toEqual({ version: 1, hash: "h", desired: null, nextSyncInMs: 2_000, peers: null });
    expect(control.synced).toEqual([{ project: "main", host: "host-1", seq: 7 }]);
  });

  test("that is malformed is refused with its place", async () => {
    const { call, control } = setUp();
    const response = await call("POST", "/agent/sync", { token: TOKENS.host, body: { ...SYNC, seq: -1 } });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: "invalid_request", issues: [{ path: "body.seq" }] } });
    expect(control.synced).toEqual([]);
  });

  test("is read no faster than the project's hosts may report together", async () => {
    const control = new FakeControl();
    const spent: number[] = [];
    const pace = { waitMs: () => (spent.length > 1 ? 10 : 0), spend: (_: string, bytes: number) => spent.push(bytes) };
    const app = createApp(control, { version: "0", report: () => {}, pace });
    const body = JSON.stringify(SYNC);
    const sync = (headers: object) =>
      app.request("/agent/sync", {
        method: "POST",
        headers: { authorization: `Bearer ${TOKENS.host}`, "content-type": "application/json", ...headers },
        body,
      });
    expect((await sync({ "content-length": String(body.length) })).status).toBe(200);
    expect((await sync({})).status).toBe(200);
    const refused = await sync({});
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
    expect(spent).toEqual([body.length, 4 * 1024 * 1024]);
    expect(control.synced).toHaveLength(2);
  });

  test("waits for the host's earlier ones, two at a time", async () => {
    const control = new FakeControl();
    const unsent: (() => void)[] = [];
    const whenSent = (_: unknown, over: () => void) => unsent.push(over);
    const app = createApp(control, { version: "0", report: () => {}, whenSent });
    const sync = () =>
      app.request("/agent/sync", {
        method: "POST",
        headers: { authorization: `Bearer ${TOKENS.host}`, "content-type": "application/json" },
        body: JSON.stringify(SYNC),
      });
    expect([(await sync()).status, (await sync()).status, (await sync()).status]).toEqual([200, 200, 429]);
    for (const over of unsent) over();
    expect((await sync()).status).toBe(200);
  });
});

describe("changes", () => {
  test.each(all.filter((operation) => operation.change))(
    "$method $path needs an idempotency key",
    async (operation) => {
      const { call, control } = setUp();
      const init = { token: TOKENS.admin, ...(operation.body ? { body: bodyOf(operation) } : {}) };
      for (const headers of [{}, { "Idempotency-Key": "short" }, { "Idempotency-Key": "x".repeat(201) }]) {
        const response = await call(operation.method, concrete(operation.path), { ...init, headers });
        expect(response.status).toBe(400);
        const { error } = (await response.json()) as { error: { code: string; message: string } };
        expect(error.code).toBe("invalid_request");
        expect(error.message).toContain("8 to 200 printable ASCII characters");
      }
      expect(control.changes).toEqual([]);
      const response = await call(operation.method, concrete(operation.path), {
        ...init,
        headers: { "Idempotency-Key": KEY },
      });
      expect(response.status).toBe(200);
      expect(control.changes).toEqual([expect.objectContaining({ key: KEY })]);
    },
  );

  test("whatever is not a GET, the plan, an upload or an agent's is a change", () => {
    const unkeyed = all.filter((operation) => operation.method !== "GET" && !operation.change);
    const paths = [
      "/agent/join",
      "/agent/leave",
      "/agent/sync",
      "/api/projects/{project}/files/{sha256}",
      "/api/projects/{project}/fleets/plan",
      "/api/projects/{project}/plan",
    ];
    expect(unkeyed.map((operation) => operation.path).sort()).toEqual(paths);
  });

  test.each(all.filter((operation) => operation.body))("$method $path has a bound on its body", async (operation) => {
    const { call, control } = setUp();
    const isSync = operation.path === "/agent/sync";
    const isLarge = isSync || operation.method === "PUT";
    const token = isSync ? TOKENS.host : operation.path === "/agent/join" ? TOKENS.join : TOKENS.admin;
    const response = await call(operation.method, concrete(operation.path), {
      token,
      body: { config: "x".repeat((isLarge ? 4 : 1) * 1024 * 1024) },
      headers: { "Idempotency-Key": KEY },
    });
    expect(response.status).toBe(413);
    expect(control.changes).toEqual([]);
  });
});

describe("errors", () => {
  const codes: ControlErrorCode[] = [
    "not_found",
    "invalid_config",
    "conflict",
    "idempotency_mismatch",
    "forbidden",
    "unauthorized",
    "too_many",
    "unavailable",
  ];

  test.each(codes)("a refusal of control keeps its words: %s", async (code) => {
    const { call, control } = setUp();
    const issues = code === "invalid_config" ? [{ line: 2, column: 3, path: "port", message: "write a number" }] : [];
    control.failure = new ControlError(code, "This is why.", issues);
    const response = await call("POST", "/api/projects/main/plan", { token: TOKENS.member, body: FILE });
    expect(response.status).toBe(ERROR_STATUS[code]);
    expect(await response.json()).toEqual({
      error: { code, message: "This is why.", ...(issues.length > 0 ? { issues } : {}) },
    });
  });

  test("an unexpected error says nothing of the inside, and is reported under the id that it names", async () => {
    const { call, control, reported } = setUp();
    control.failure = new Error("password is hunter2");
    const response = await call("GET", "/api/projects/main/services", { token: TOKENS.member });
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(text).not.toContain("hunter2");
    expect(reported).toHaveLength(1);
    expect(text).toContain(reported[0]!.id);
  });

  test("a database that is away is said to be, and a write whose answer it lost is to be repeated", async () => {
    const { call, control, reported } = setUp();
    const errors = [new StoreError("unavailable", "secret place"), new UnclearOutcome("secret place")];
    const messages = [/cannot be reached; try again/, /repeat it under the same idempotency key/];
    for (const [i, error] of errors.entries()) {
      control.failure = error;
      const response = await call("GET", "/api/projects/main/services", { token: TOKENS.member });
      const body = (await response.json()) as { error: { code: string; message: string } };
      expect([response.status, body.error.code]).toEqual([503, "unavailable"]);
      expect(body.error.message).toMatch(messages[i]!);
      expect(JSON.stringify(body)).not.toContain("secret place");
    }
    expect(reported.map(({ error }) => error)).toEqual(errors);
  });

  test("a malformed request names the place", async () => {
    const { call } = setUp();
    const response = await call("POST", "/api/projects/main/plan", { token: TOKENS.member, body: { config: 7 } });
    expect(response.status).toBe(400);
    const { error } = (await response.json()) as { error: { issues: { path: string }[] } };
    expect(error.issues.map((issue) => issue.path)).toEqual(["body.config"]);
  });

  test("a body that is not JSON", async () => {
    const { app } = setUp();
    const send = (type: string) =>
      app.request("/api/projects/main/plan", {
        method: "POST",
        headers: { Authorization: `Bearer ${TOKENS.member}`, "Content-Type": type },
        body: "{not json",
      });
    expect((await send("application/json")).status).toBe(400);
    expect((await send("text/plain")).status).toBe(415);
  });

  test("an unknown path", async () => {
    const { call } = setUp();
    const response = await call("GET", "/nothing");
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: "no_such_path" } });
  });

  test("answers are not kept and not sniffed, refusals included", async () => {
    const { call } = setUp();
    for (const token of [TOKENS.admin, "nobody"]) {
      const response = await call("GET", "/api/me", { token });
      expect(response.headers.get("cache-control")).toBe("no-store");
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
      expect(response.headers.get("access-control-allow-origin")).toBeNull();
    }
  });
});
