import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { harnessPlane, type ObjectsControl } from "../support/edge-harness.ts";
import { LinkStage } from "../support/link-stage.ts";
import { until } from "../support/processes.ts";

/** Durable Objects are put away in the middle of things, and made anew by whatever comes next. */
describe("objects that come and go", () => {
  let stage: LinkStage;
  let objects: ObjectsControl;
  beforeAll(async () => {
    stage = await LinkStage.start("workerd", async (place) => {
      const made = await harnessPlane(place);
      objects = made.objects;
      return made.plane;
    });
  });
  afterEach(() => stage.clear());
  afterAll(() => stage?.dispose());

  test("a host's object that slept sends requests over the same socket, again and again", async () => {
    const host = await stage.here();
    const service = await stage.serve(host);
    const { link } = host;
    for (let round = 0; round < 4; round += 1) {
      for (let i = 0; i < 3; i += 1) expect((await stage.fetch(service, `/v1/${round}`)).status).toBe(200);
      await objects.sleep("main", host.id);
    }
    expect((await host.sync()).status).toBe(200);
    expect([host.link, host.ended]).toEqual([link, null]);
  });

  test("a project's object that is put away at every step goes on from what is committed", async () => {
    const host = await stage.here();
    const service = await stage.apply(1);
    await objects.evict("main");
    await host.syncUntil(() => host.jobs.length > 0, "is told to run nothing");
    await objects.evict("main");
    await host.sync();
    await objects.evict("main");
    await until(
      async () => (await stage.client.service(service)).ready,
      () => "the service does not become ready",
    );
    const [replica] = (await stage.client.service(service)).replicas;
    await objects.evict("main");
    await stage.client.stop(service);
    await objects.evict("main");
    await until(
      async () => {
        await host.sync();
        return (await stage.client.service(service)).status === "stopped";
      },
      () => "the service does not stop",
    );
    expect(replica).toMatchObject({ status: "ready" });
    const events = (await stage.commits()).flatMap((commit) => commit.events.map(({ type }) => type));
    expect(events.filter((type) => type === "host.silent" || type === "replica.lost")).toEqual([]);
  });

  test("what a host said is asked for again by a project's object that was made anew", async () => {
    const host = await stage.here();
    const service = await stage.serve(host);
    const before = host.wakes;
    await objects.evict("main");
    await stage.client.service(service);
    await until(
      () => host.wakes > before,
      () => "the host is not asked",
    );
    expect((await host.sync()).status).toBe(200);
    expect((await stage.client.service(service)).replicas[0]?.observed).not.toBeNull();
  });

  test("the sweep finds nothing overdue and says so", async () => {
    expect(await objects.cron()).toBe("ok");
  });

  test("who asks wrongly is told what is wrong in English, the one language that the Worker has", async () => {
    const answer = await fetch(`${stage.url}/api/projects/main/apply`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${stage.token}`,
        "content-type": "application/json",
        "idempotency-key": crypto.randomUUID(),
      },
      body: JSON.stringify({ config: 7 }),
    });
    expect([answer.status, await answer.json()]).toMatchObject([
      400,
      { error: { message: "body.config: Invalid input: expected string, received number" } },
    ]);
  });
});
