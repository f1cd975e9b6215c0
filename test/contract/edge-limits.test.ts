import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EdgePlane } from "../support/edge/edge-plane.ts";
import { filledProject } from "../support/edge/filled-project.ts";
import type { ObedientAgent } from "../support/obedient-agent.ts";
import { until } from "../support/processes.ts";

// What the platform allows one invocation, and what our own design allows one request, held by the Worker on workerd.

const SERVICE = `
type: service
name: web
port: 8000
commands: [python3 -m http.server 8000]
resources: { cpu: 1.., memory: 100MB.., disk: 100MB.. }
`;
/** Requests that the smallest plan lets one invocation make. */
const SUBREQUESTS_MAX = 50;
/** Answers that the platform lets one invocation await at a time. */
const AWAITED_MAX = 6;
/** More than a client of the database sends at a time by itself, which is 20. */
const AT_ONCE = 32;

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

  /** Requests to the database until the answer. */
  async function databaseCalls(work: () => Promise<unknown>): Promise<number> {
    const before = plane.database.bodies.length;
    await work();
    return plane.database.bodies.length - before;
  }

  test("each kind of request asks the database a bounded number of times", async () => {
    const api = "/api/projects/main";
    const config = { config: SERVICE, file: "web.yml", env: {} };
    const ok = async (answer: Promise<Response>) => {
      const { status } = await answer;
      if (status >= 400) throw new Error(`answered ${status}`);
    };
    const requests: [name: string, most: number, work: () => Promise<unknown>][] = [
      ["health", 0, () => ok(plane.get("/health"))],
      ["plan", 1, () => plane.client().plan(config)],
      ["apply", 3, () => plane.client().apply(config)],
      ["a sync with something new for the host", 0, () => agent.sync()],
      ["a report with news", 1, () => agent.sync()],
      ["a report that tells nothing new of the state", 0, () => agent.sync()],
      ["a report without news", 0, () => agent.sync()],
      ["a sync by a request of its own", 1, () => agent.post(plane.url)],
      ["services", 1, () => ok(plane.get(`${api}/services`))],
      ["a service", 1, () => ok(plane.get(`${api}/services/web`))],
      ["hosts", 1, () => ok(plane.get(`${api}/hosts`))],
      ["journal", 2, () => plane.client().journal()],
      ["the first proxied request", 1, () => ok(plane.get("/proxy/services/main/web/"))],
      ["a token", 5, () => plane.client().createToken({ kind: "join", name: "j", fleet: "default" })],
      ["the tokens", 2, () => plane.client().tokens()],
      ["revoking one", 4, () => plane.client().revokeToken(spare.id)],
      ["the cron trigger", 1, () => plane.ringCron()],
      ["stop", 3, () => plane.client().stop("web")],
      ["joining", 4, async () => plane.join("host-2", joinToken)],
      ["a wrong token", 1, () => fetch(`${plane.url}${api}/services`, { headers: { authorization: "Bearer hr_x" } })],
    ];
    const joinToken = await plane.joinToken();
    const spare = await plane.client().createToken({ kind: "member", name: "spare" });
    const calls: Record<string, number> = {};
    for (const [name, , work] of requests) calls[name] = await databaseCalls(work);
    const over = requests.filter(([name, most]) => (calls[name] ?? 0) > most);
    expect(over.map(([name]) => `${name}: ${calls[name]}`)).toEqual([]);
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
    const over = Object.entries(invocations).filter(([, { subrequestsMax }]) => subrequestsMax >= SUBREQUESTS_MAX);
    expect(over).toEqual([]);
  });
});
