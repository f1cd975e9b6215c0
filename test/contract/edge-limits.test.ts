import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OPENAPI_PATH } from "../../src/api/app.ts";
import { FIRST_PROJECT } from "../../src/node/first-start.ts";
import type { EdgeCounts } from "../support/edge/counts.ts";
import { EdgePlane } from "../support/edge/edge-plane.ts";
import { filledProject } from "../support/edge/filled-project.ts";
import type { ObedientAgent } from "../support/obedient-agent.ts";
import { until } from "../support/processes.ts";

// What the platform allows one invocation, and what our own design allows one request, held by the Worker on workerd.

const SERVICE = `
type: service
name: web
port: 8000
commands: [python3 -m http.server $HEADRACE_PORT]
resources: { cpu: 1.., memory: 100MB.., disk: 100MB.. }
`;
/** Requests that the smallest plan lets one invocation make. */
const SUBREQUESTS_MAX = 50;
/** Answers that the platform lets one invocation await at a time. */
const AWAITED_MAX = 6;
/** As the description of the API names what is a project's. */
const PROJECT = "/api/projects/{project}";
/** More than a client of the database sends at a time by itself, which is 20. */
const AT_ONCE = 32;

/** Commits that are followed one by one: more than one invocation may ask for. */
const FOLLOWED = 2 * SUBREQUESTS_MAX;

/** The kinds of invocations of which one made more requests than it may. */
function over(invocations: EdgeCounts["invocations"]): string[] {
  const tooMany = Object.entries(invocations).filter(([, { subrequestsMax }]) => subrequestsMax >= SUBREQUESTS_MAX);
  return tooMany.map(([kind, { subrequestsMax }]) => `${kind}: ${subrequestsMax}`);
}

describe("a small project", () => {
  let plane: EdgePlane;
  let agent: ObedientAgent;

  beforeAll(async () => {
    plane = await EdgePlane.start();
    agent = await plane.join("host-1", await plane.joinToken());
    await agent.connect(plane.url);
    for (let i = 0; i < 3; i += 1) await agent.sync();
  });

  afterAll(async () => {
    agent.close();
    await plane.dispose();
  });

  /** The service is stopped, and its host has said so. */
  function gone(service: string): Promise<void> {
    return until(
      async () => {
        await agent.sync();
        return (await plane.client().service(service)).status === "stopped";
      },
      () => plane.output(),
    );
  }

  /** Requests to the database until the answer. */
  async function databaseCalls(work: () => Promise<unknown>): Promise<number> {
    const before = plane.database.bodies.length;
    await work();
    return plane.database.bodies.length - before;
  }

  test("each kind of request asks the database a bounded number of times", async () => {
    const project = "/api/projects/main";
    const config = { config: SERVICE, file: "web.yml", env: {} };
    const fleet = { config: "type: fleet\nname: spare\novercommit: false\n" };
    const ok = async (answer: Promise<Response>) => {
      const { status } = await answer;
      if (status >= 400) throw new Error(`answered ${status}: ${await (await answer).text()}`);
    };
    const as = (credential: string, path: string, method = "GET") =>
      ok(fetch(plane.url + path, { method, headers: { authorization: `Bearer ${credential}` } }));
    const client = plane.client();
    const joinToken = await plane.joinToken();
    const [asking, leaving] = [await plane.join("asking", await plane.joinToken()), await plane.joinToken()];
    const left = await plane.join("leaving", leaving);
    const spare = await client.createToken({ kind: "member", name: "spare" });
    const archive = new TextEncoder().encode("not looked into here");
    const sha256 = createHash("sha256").update(archive).digest("hex");
    const followed = new AbortController();

    /** Those of the API by method and path, as its description names them. */
    const requests: [name: string, most: number, work: () => Promise<unknown>][] = [
      ["GET /health", 0, () => ok(plane.get("/health"))],
      ["GET /api/me", 1, () => ok(plane.get("/api/me"))],
      [`POST ${PROJECT}/plan`, 1, () => client.plan(config)],
      [`POST ${PROJECT}/apply`, 3, () => client.apply(config)],
      ["a sync with something new for the host", 0, () => agent.sync()],
      ["a report with news", 1, () => agent.sync()],
      ["a report that tells nothing new of the state", 0, () => agent.sync()],
      ["a report without news", 0, () => agent.sync()],
      ["POST /agent/sync", 1, () => asking.post(plane.url)],
      [`GET ${PROJECT}/services`, 1, () => client.services()],
      [`GET ${PROJECT}/services/{service}`, 1, () => client.service("web")],
      [`GET ${PROJECT}/services/{service}/logs`, 1, () => plane.get(`${project}/services/web/logs`)],
      [`GET ${PROJECT}/hosts`, 1, () => client.hosts()],
      [`GET ${PROJECT}/hosts/{host}`, 1, () => client.host(agent.host)],
      [`GET ${PROJECT}/commits`, 2, () => client.journal()],
      [
        `GET ${PROJECT}/commits/stream`,
        3,
        async () => {
          for await (const _ of client.follow({ after: -1, signal: followed.signal })) followed.abort();
        },
      ],
      ["the first proxied request", 1, () => ok(plane.get("/proxy/services/main/web/"))],
      ["the models of a project", 1, () => ok(plane.get("/proxy/models/main/v1/models"))],
      [`PUT ${PROJECT}/secrets/{secret}`, 4, () => client.setSecret("key", "value")],
      [`GET ${PROJECT}/secrets`, 2, () => client.secrets()],
      [`DELETE ${PROJECT}/secrets/{secret}`, 3, () => client.deleteSecret("key")],
      [`PUT ${PROJECT}/files/{sha256}`, 4, () => client.putFile(sha256, archive)],
      ["GET /agent/files/{sha256}", 3, () => as(agent.credential, `/agent/files/${sha256}`)],
      [`POST ${PROJECT}/tokens`, 5, () => client.createToken({ kind: "join", name: "j", fleet: "default" })],
      [`GET ${PROJECT}/tokens`, 2, () => client.tokens()],
      [`DELETE ${PROJECT}/tokens/{token}`, 4, () => client.revokeToken(spare.id)],
      ["the cron trigger", 1, () => plane.ringCron()],
      [`POST ${PROJECT}/hosts/{host}/cordon`, 3, () => client.cordonHost(asking.host, "a test")],
      [`POST ${PROJECT}/hosts/{host}/drain`, 3, () => client.drainHost(asking.host, "a test")],
      [`POST ${PROJECT}/hosts/{host}/uncordon`, 3, () => client.uncordonHost(asking.host)],
      [`DELETE ${PROJECT}/hosts/{host}`, 3, () => client.removeHost(asking.host, false)],
      ["POST /agent/leave", 3, () => as(left.credential, "/agent/leave", "POST")],
      [`POST ${PROJECT}/fleets/plan`, 1, () => client.planFleet(fleet)],
      [`POST ${PROJECT}/fleets`, 3, () => client.applyFleet(fleet)],
      [`GET ${PROJECT}/fleets`, 1, () => client.fleets()],
      [`DELETE ${PROJECT}/fleets/{fleet}`, 3, () => client.deleteFleet("spare")],
      [`POST ${PROJECT}/services/{service}/stop`, 3, () => client.stop("web")],
      ["(its end is waited for)", Number.POSITIVE_INFINITY, () => gone("web")],
      [`DELETE ${PROJECT}/services/{service}`, 3, () => client.delete("web")],
      ["GET /agent/join", 1, () => as(joinToken, "/agent/join")],
      ["POST /agent/join", 4, async () => plane.join("host-2", joinToken)],
      ["GET /install/{file}", 0, () => plane.get("/install/install.sh")],
      [
        "a wrong token",
        1,
        () => fetch(`${plane.url}${project}/services`, { headers: { authorization: "Bearer hr_x" } }),
      ],
    ];
    const calls: Record<string, number> = {};
    for (const [name, , work] of requests) {
      calls[name] = await databaseCalls(() => work().catch((error) => expect.unreachable(`${name}: ${error}`)));
    }
    const tooMany = requests.filter(([name, most]) => (calls[name] ?? 0) > most);
    expect(tooMany.map(([name]) => `${name}: ${calls[name]}`)).toEqual([]);
    expect(over((await plane.counts()).invocations)).toEqual([]);

    const { paths } = (await (await plane.get(OPENAPI_PATH)).json()) as { paths: Record<string, object> };
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(operations.filter((operation) => !(operation in calls))).toEqual([]);
  });

  test("whoever follows commits misses none, and asks for no more in one invocation than the smallest plan allows", async () => {
    const followedBy = async () => (await plane.counts()).invocations["project.follow"]?.count ?? 0;
    const [before, [first]] = [await followedBy(), (await plane.client().journal({ after: -1 })).commits];
    const left = new AbortController();
    const seen: number[] = [];
    const following = (async () => {
      const after = first?.version ?? 0;
      for await (const { version } of plane.client().follow({ after, signal: left.signal })) {
        seen.push(version);
        if (seen.length >= FOLLOWED) left.abort();
      }
    })();
    for (let i = 0; i < FOLLOWED; i += 1) {
      await plane.client().apply({ config: `${SERVICE.replace("web", "followed")}replicas: ${1 + (i % 2)}\n` });
      await until(
        () => seen.length > i,
        () => `${seen.length} commits came of ${i + 1}`,
      );
    }
    await following;
    expect(seen).toEqual(seen.map((_, i) => (seen[0] ?? 0) + i));
    // Each commit is read by itself, and whoever follows does not notice that another invocation goes on.
    expect((await followedBy()) - before).toBeGreaterThanOrEqual(FOLLOWED / SUBREQUESTS_MAX);
    await plane.client().stop("followed");
  });

  test("of more logs than one invocation may ask for no more are asked for", async () => {
    await plane.client().apply({ config: `${SERVICE.replace("web", "many")}replicas: ${SUBREQUESTS_MAX}\n` });
    const { replicas } = await plane.client().service("many");
    expect(replicas.filter(({ host }) => host !== null)).toHaveLength(SUBREQUESTS_MAX);
    const before = (await plane.counts()).calls["project>link.fetch"] ?? 0;
    const reading = plane.client().logs("many")[Symbol.asyncIterator]().next();
    await expect(reading).rejects.toMatchObject({ status: 503 });
    const { calls, invocations } = await plane.counts();
    expect((calls["project>link.fetch"] ?? 0) - before).toBeGreaterThan(1);
    expect(over(invocations)).toEqual([]);
    await plane.client().stop("many");
  });

  test("a proxied request whose service is known goes to where the host's link ends, and asks nobody else", async () => {
    await plane.client().apply({ config: SERVICE.replace("web", "other"), file: "other.yml", env: {} });
    await until(
      async () => {
        await agent.sync();
        return (await plane.client().service("other")).ready;
      },
      () => plane.output(),
    );
    const asked = async () => {
      const before = (await plane.counts()).calls;
      const database = await databaseCalls(() => plane.get("/proxy/services/main/other/"));
      const after = (await plane.counts()).calls;
      const grown = Object.keys(after).filter((name) => name.startsWith("worker>") && after[name] !== before[name]);
      return [...grown, `database ${database}`].join(", ");
    };
    // What is known is believed for two seconds, which a busy machine may take for one request.
    const seen: string[] = [];
    for (let i = 0; i < 10; i += 1) seen.push(await asked());
    expect(seen).toContain("worker>link.fetch, database 0");
  });

  test("while a service runs and nothing happens nothing is due, and its host's reports reach neither project nor database", async () => {
    // Until all that the tests before this one have begun is done.
    await until(
      async () => {
        await agent.sync();
        return (await plane.store.load(FIRST_PROJECT))?.wakeAt === null;
      },
      () => plane.output(),
    );
    for (let i = 0; i < 3; i += 1) await agent.sync();
    expect(agent.jobs.length).toBeGreaterThan(0);
    const beyondItsLink = async () => {
      const before = (await plane.counts()).calls;
      for (let i = 0; i < 10; i += 1) await agent.sync();
      const { calls } = await plane.counts();
      expect((calls["link.message"] ?? 0) - (before["link.message"] ?? 0)).toBe(10);
      return Object.keys(calls).filter((name) => !name.startsWith("link.") && calls[name] !== before[name]);
    };
    // The alarm that was set before the last commit may ring in the middle of one of them.
    expect([await beyondItsLink(), await beyondItsLink()]).toContainEqual([]);
  });
});

test("requests wait for their own questions to the database, however many others wait for theirs", async () => {
  const plane = await EdgePlane.start();
  try {
    const database = Promise.withResolvers<void>();
    plane.database.failAll(database.promise);
    const before = plane.database.bodies.length;
    const answers = Array.from({ length: AT_ONCE }, async () => {
      const headers = { authorization: "Bearer hr_unknown" };
      return (await fetch(`${plane.url}/api/projects/main/services`, { headers })).status;
    });
    await until(
      () => plane.database.bodies.length === before + AT_ONCE,
      () => `${plane.database.bodies.length - before} of ${AT_ONCE} questions came`,
    );
    database.resolve();
    expect(new Set(await Promise.all(answers))).toEqual(new Set([401]));
  } finally {
    await plane.dispose();
  }
});

describe("a project of 1,000 replicas on 100 hosts", () => {
  let plane: EdgePlane;

  beforeAll(async () => {
    const filled = filledProject({ replicas: 1_000, hosts: 100 });
    plane = await EdgePlane.start((store) => store.commit(filled));
  });

  afterAll(() => plane.dispose());

  test("changes that concern every host wake them all, a few at a time and in invocations of their own", async () => {
    await plane.client().services();
    const names = (await plane.client().services()).map(({ name }) => name);
    expect(names).toHaveLength(10);
    await Promise.all(names.map((name) => plane.client().stop(name)));
    await until(
      async () => ((await plane.counts()).calls["project>link.wake"] ?? 0) >= 100,
      () => plane.output(),
    );
    const { atOnce, invocations } = await plane.counts();
    expect(atOnce["project>link.wake"]).toBeLessThanOrEqual(AWAITED_MAX);
    expect(over(invocations)).toEqual([]);
  });
});
