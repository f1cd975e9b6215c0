import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seedToken } from "../support/seed-token.ts";
import { unnoticed } from "./support/neighbour.ts";
import { BAD, GOOD, SECRET, STEADY, Victim } from "./support/victim.ts";

/** What a tenant, a host or a stranger gets when it tries what is not its own. */

let victim: Victim;
const tokens = {
  stranger: "hra_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
  expired: "",
  member: "",
  join: "",
  usedJoin: "",
  host: "",
};
beforeAll(async () => {
  victim = await Victim.start(async (store) => {
    tokens.expired = await seedToken(store, GOOD, "admin", { expiresAt: Date.now() - 1 });
    tokens.member = await seedToken(store, GOOD, "member");
    tokens.join = await seedToken(store, BAD, "join", { subject: "default" });
    tokens.usedJoin = await seedToken(store, BAD, "join", { subject: "default", usedAt: 1 });
    tokens.host = await seedToken(store, BAD, "host", { subject: "no-such-host" });
  });
  await victim.startSteadyService();
});
afterAll(() => victim.dispose());

interface Operation {
  method: string;
  path: string;
}

/** Every route, as the server itself lists them: a new one is tried without being named here. */
async function operations(): Promise<Operation[]> {
  const document = (await (await fetch(`${victim.url}/api/openapi.json`)).json()) as { paths: Record<string, object> };
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })),
  );
}

async function call({ method, path }: Operation, token: string, project: string, body: unknown = {}) {
  const names: Record<string, string> = { project, service: STEADY, host: "good-host", replica: `${STEADY}-worker-1` };
  const response = await fetch(victim.url + path.replace(/\{(\w+)\}/g, (_, name: string) => names[name] ?? "x"), {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      "idempotency-key": crypto.randomUUID(),
      // Else fifty sockets stay open for as long as the server keeps them, and "unnoticed" waits for their end.
      connection: "close",
    },
    ...(method === "GET" ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, text: await response.text() };
}

const journalVersion = async () => (await victim.client(GOOD).journal({ after: -1, limit: 1 })).commits[0]?.version;

/** They answer everybody the same, as src/api/app.test.ts holds. */
const OPEN = ["/health", "/install/{file}"];

describe("every route", () => {
  const closed = async () => (await operations()).filter(({ path }) => !OPEN.includes(path));

  test("refuses another project's admin as if the project did not exist, and does nothing", async () => {
    await unnoticed(victim, async () => {
      const before = await journalVersion();
      const routes = (await closed()).filter(({ path }) => path.includes("{project}"));
      expect(routes.length).toBeGreaterThan(8);
      for (const route of routes) {
        const answer = await call(route, victim.tokens[BAD], GOOD);
        expect(answer, `${route.method} ${route.path}`).toMatchObject({ status: 403 });
        expect(answer).toEqual(await call(route, victim.tokens[BAD], "nobodys"));
      }
      expect(await journalVersion()).toBe(before);
    });
  });

  test.each(["stranger", "expired"] as const)(
    "refuses the token of a stranger and one that has expired: %s",
    async (who) => {
      for (const route of await closed()) {
        const answer = await call(route, tokens[who], GOOD);
        expect(answer.status, `${route.method} ${route.path}`).toBe(401);
        expect(answer.text).toContain('"unauthorized"');
      }
    },
  );

  test.each(["join", "usedJoin", "host"] as const)("refuses what is no person's token: %s", async (who) => {
    for (const route of (await closed()).filter(({ path }) => path.startsWith("/api/"))) {
      expect((await call(route, tokens[who], BAD)).status, `${route.method} ${route.path}`).toBe(403);
    }
  });
});

describe("names and ids of another project, guessed in one's own", () => {
  test("find nothing", async () => {
    const { replicas } = await victim.client(GOOD).service(STEADY);
    const [host] = await victim.client(GOOD).hosts();
    const own = (path: string, method = "GET") => call({ method, path }, victim.tokens[BAD], BAD);
    expect((await own(`/api/projects/${BAD}/services/${STEADY}`)).status).toBe(404);
    expect((await own(`/api/projects/${BAD}/services/${STEADY}/logs?replica=${replicas[0]?.id}`)).status).toBe(404);
    expect((await own(`/api/projects/${BAD}/services/${STEADY}/stop`, "POST")).status).toBe(404);
    expect((await own(`/api/projects/${BAD}/services/${STEADY}`, "DELETE")).status).toBe(404);
    expect((await own(`/api/projects/${BAD}/hosts/${host?.id}`, "DELETE")).status).toBe(404);
    expect(await victim.client(BAD).services()).toEqual([]);
    expect(await victim.client(BAD).hosts()).toEqual([]);
  });

  test("nor do the name of its secret, and the SHA-256 of a file that somebody knows it to have", async () => {
    const archive = new TextEncoder().encode("a well-known archive");
    const sha256 = createHash("sha256").update(archive).digest("hex");
    await victim.client(GOOD).putFile(sha256, archive);
    await victim.client(GOOD).setSecret("SHARED_NAME", "good-value");
    const fetched = await call({ method: "GET", path: `/agent/files/${sha256}` }, tokens.host, BAD);
    expect(fetched.status).toBe(404);
    expect(
      (await call({ method: "GET", path: `/api/projects/${BAD}/secrets` }, victim.tokens[BAD], BAD)).text,
    ).not.toContain("SHARED_NAME");
    const file = (more: string) => `type: service\nname: probing\nport: 80\ncommands: [a]\n${more}\n`;
    const apply = (config: string, files: object[] = []) =>
      call({ method: "POST", path: `/api/projects/${BAD}/apply` }, victim.tokens[BAD], BAD, { config, files });
    const named = await apply(file("files: [app]"), [{ localPath: "app", sha256, bytes: archive.byteLength }]);
    expect(named).toMatchObject({ status: 422, text: expect.stringContaining("were not uploaded") });
    const secret = await apply(file("env: {A: '${{ secrets.SHARED_NAME }}'}"));
    expect(secret).toMatchObject({ status: 422, text: expect.stringContaining("the project has no secret") });
  });
});

describe("the request path", () => {
  const ask = async (path: string, token: string) => {
    const response = await fetch(victim.url + path, { headers: { authorization: `Bearer ${token}` } });
    return { status: response.status, text: await response.text() };
  };

  test.each(["stranger", "expired", "join", "host", BAD] as const)(
    "serves the good project nobody else: %s",
    async (who) => {
      const token = who === BAD ? victim.tokens[BAD] : tokens[who];
      for (const path of [`/proxy/services/${GOOD}/${STEADY}/environment`, `/proxy/models/${GOOD}/v1/models`]) {
        const answer = await ask(path, token);
        expect(answer.status).toBe(401);
        expect(answer.text).not.toContain(SECRET);
      }
      // Whether a service exists is not said either, but for its name in the path.
      const [there, not] = await Promise.all(
        [STEADY, "nothing"].map((name) => ask(`/proxy/services/${GOOD}/${name}/x`, token)),
      );
      expect(there).toEqual(not);
    },
  );

  test("a service of the bad project's own does not lead to the good one's", async () => {
    expect((await ask(`/proxy/services/${BAD}/${STEADY}/environment`, victim.tokens[BAD])).status).toBe(404);
    expect((await ask(`/proxy/services/${BAD}/x/../../${GOOD}/${STEADY}/environment`, victim.tokens[BAD])).status).toBe(
      401,
    );
  });
});

test("a token that was revoked opens nothing from that moment, neither the API nor a service", async () => {
  const client = victim.client(GOOD);
  const made = await client.createToken({ kind: "member", name: "leaked" });
  const tried = async () => {
    const headers = { authorization: `Bearer ${made.token}`, connection: "close" };
    const paths = ["/api/me", `/proxy/services/${GOOD}/${STEADY}/`, `/proxy/models/${GOOD}/v1/models`];
    const answers = await Promise.all(paths.map((path) => fetch(victim.url + path, { headers })));
    await Promise.all(answers.map((answer) => answer.arrayBuffer()));
    return answers.map(({ status }) => status);
  };
  // The request path remembers now that the token is good.
  expect(await tried()).not.toContain(401);
  await client.revokeToken(made.id);
  expect(await tried()).toEqual([401, 401, 401]);
  expect((await client.tokens()).find(({ id }) => id === made.id)).toMatchObject({ name: "leaked", state: "revoked" });
});

describe("a join token", () => {
  const machine = (name: string) => ({
    name,
    machine: name,
    agentVersion: "0",
    credentialHash: createHash("sha256").update(name).digest("hex"),
    inventory: {
      address: "127.0.0.1",
      arch: "x86",
      cpus: 1,
      memoryGib: 1,
      diskGib: 1,
      accelerators: [],
      runtimes: ["process"],
      warnings: [],
    },
  });
  const join = (token: string, name: string) =>
    call({ method: "POST", path: "/agent/join" }, token, BAD, machine(name));

  test("that was used, or is no join token, admits nobody and leaves no host", async () => {
    for (const token of [tokens.usedJoin, tokens.host, victim.tokens[BAD]]) {
      expect((await join(token, "late")).status).toBe(403);
    }
    expect(await victim.client(BAD).hosts()).toEqual([]);
  });

  test("admits one host of fifty that come with it at once", async () => {
    await unnoticed(victim, async () => {
      const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => join(tokens.join, `host-${i}`)));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      for (const { status } of answers) expect([200, 403, 409]).toContain(status);
      expect(await victim.client(BAD).hosts()).toHaveLength(1);
    });
  });
});

test("no error, log line or answer of all this holds the steady service's secret", async () => {
  const { commits } = await victim.client(GOOD).journal({ after: 0, limit: 500 });
  const seen = [commits, await victim.client(GOOD).service(STEADY), await victim.client(GOOD).hosts()];
  const environment = await fetch(victim.steadyUrl("/environment"), {
    headers: { authorization: `Bearer ${tokens.member}` },
  });
  expect(await environment.text(), "the job itself has it").toContain(SECRET);
  expect(JSON.stringify(seen) + victim.server.output() + victim.agent?.output()).not.toContain(SECRET);
});
