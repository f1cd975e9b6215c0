import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { ApplyAnswer } from "../../src/control/views/views.ts";
import { type RunningServer, startServer } from "../../src/node.ts";
import { apply, hasReady } from "../crash/world.ts";
import { TEST_KEY } from "../support/control-planes.ts";
import { LinkStage } from "../support/link-stage.ts";
import { ObedientAgent } from "../support/obedient-agent.ts";
import { until } from "../support/processes.ts";

// Nobody should run a server on Node and a Worker on one database; whoever does must lose nothing by it.

/** Requests that each of the two is sent, one after another. */
const REQUESTS = 8;

describe("a server on Node and a Worker on one database", () => {
  let stage: LinkStage;
  let node: RunningServer;
  let folder: string;
  let agent: ObedientAgent;
  const logged: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(`${tmpdir()}/headrace-two-`);
    stage = await LinkStage.start("workerd");
    vi.stubEnv("HOME", folder);
    vi.stubEnv("HEADRACE_KEY", TEST_KEY);
    node = await startServer({ port: 0, databaseUrl: stage.plane.database?.url }, (_, message) => logged.push(message));
    const { id, credential, name } = await stage.joined();
    agent = new ObedientAgent(id, credential, name);
  });

  afterAll(async () => {
    agent?.close();
    await node?.close();
    await stage?.dispose();
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true, force: true });
  });

  const urls = () => [stage.url, node.url] as const;

  /** The agent comes to one of them and does what it is told, until the service has so many ready workers there. */
  async function settle(url: string, workers: number): Promise<void> {
    await agent.connect(url);
    await until(
      async () => {
        await agent.sync();
        return hasReady(url, stage.token, workers);
      },
      () => `not ${workers} ready at ${url}`,
    );
  }

  test("changes sent to both at once are all made, each once, and an agent between the two never goes back", async () => {
    const acknowledged: ApplyAnswer[] = [];
    let writing = true;
    const write = async (url: string, writer: number) => {
      for (let n = 0; n < REQUESTS; n += 1) {
        acknowledged.push(
          (await apply(url, stage.token, `writer-${writer}-${n}`, 1 + ((n + writer) % 3))) as ApplyAnswer,
        );
      }
    };
    const writers = Promise.all(urls().map(write)).finally(() => {
      writing = false;
    });
    const following = (async () => {
      for (let turn = 0; writing; turn += 1) {
        await agent.connect(urls()[turn % 2] as string);
        for (let i = 0; i < 2; i += 1) await agent.sync();
      }
    })();
    await Promise.all([writers, following]);

    const changing = acknowledged.filter(({ action }) => action !== "none");
    expect(acknowledged).toHaveLength(2 * REQUESTS);
    expect(new Set(changing.map(({ revision }) => revision)).size).toBe(changing.length);
    const events = (await stage.commits()).flatMap((commit) => commit.events);
    expect(events.filter(({ type }) => type === "service.applied")).toHaveLength(changing.length);
    // Each of them goes on from what the other has left.
    for (const [i, url] of urls().entries()) {
      await apply(url, stage.token, `the-last-${i}`, 1 + i);
      await settle(url, 1 + i);
    }
    expect(logged).toContain(
      "another server writes to this project too; nothing is lost, but run one server on a database",
    );
  });

  test.each([
    ["Worker", "Node"],
    ["Node", "Worker"],
  ])("a plan made at the %s is stale once somebody has applied at the %s", async (planned) => {
    const [here, there] = planned === "Worker" ? urls() : (urls().toReversed() as [string, string]);
    const ask = async (url: string, path: "plan" | "apply", config: string, expectedRevision?: number) => {
      const response = await fetch(`${url}/api/projects/main/${path}`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${stage.token}`,
          "content-type": "application/json",
          "idempotency-key": crypto.randomUUID(),
        },
        body: JSON.stringify({ config, ...(expectedRevision === undefined ? {} : { expectedRevision }) }),
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    const file = (replicas: number) =>
      `type: service\nname: two-${planned.toLowerCase()}\nport: 80\ncommands: [a]\nreplicas: ${replicas}\n`;
    await ask(here, "apply", file(1));
    expect(await ask(here, "plan", file(2))).toMatchObject({ status: 200, body: { revision: 1 } });
    // Nobody tells the one what the other does.
    expect(await ask(there, "apply", file(3))).toMatchObject({ status: 200, body: { revision: 2 } });
    const stale = await ask(here, "apply", file(2), 1);
    expect(stale).toMatchObject({ status: 409, body: { error: { code: "stale_plan" } } });
    expect(JSON.stringify(stale.body)).toContain("revision 2: replicas 1 -> 3");
    expect(await ask(here, "apply", file(2), 2)).toMatchObject({ status: 200, body: { revision: 3 } });
  });

  test("one request sent to both under one key is done once", async () => {
    const [one, same] = await Promise.all(urls().map((url) => apply(url, stage.token, "key-to-both", 3)));
    expect(same).toEqual(one);
    for (const url of urls()) expect(await apply(url, stage.token, "key-to-both", 3)).toEqual(one);
  });

  test.each([
    ["Worker", "Node", 3, 2],
    ["Node", "Worker", 2, 3],
  ])("what an agent was told by the %s is known to the %s before it answers", async (first, _, before, after) => {
    const [fresh, stale] = first === "Worker" ? urls() : (urls().toReversed() as [string, string]);
    await settle(stale, before);
    await apply(fresh, stage.token, `fresh-${first}`, after);
    await settle(fresh, after);
    const held = { version: agent.version, jobs: agent.jobs.map(({ job }) => job).sort() };
    await agent.connect(stale);
    await agent.sync();
    expect(agent.version).toBeGreaterThanOrEqual(held.version);
    expect(agent.jobs.map(({ job }) => job).sort()).toEqual(held.jobs);
    expect(await hasReady(stale, stage.token, after)).toBe(true);
  });
});
