import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { LinkRefused } from "../../agents/host/dial.ts";
import type { Fault, LibsqlServer } from "../../scripts/libsql-server/server.ts";
import { LinkStage } from "../support/link-stage.ts";
import { until } from "../support/processes.ts";

// The Worker over a database that fails it: what was acknowledged stands, nothing is done twice, and whoever cannot be
// answered is told so in words.

/** Where the database is a server; the embedded one has suites of its own. */
describe("a Worker whose database", () => {
  let stage: LinkStage;
  let database: LibsqlServer;
  beforeAll(async () => {
    stage = await LinkStage.start("workerd");
    if (!stage.plane.database) throw new Error("the Worker has no database server");
    database = stage.plane.database;
  });
  afterEach(() => stage.clear());
  afterAll(() => stage?.dispose());

  /** The life of a service from its apply to its end, each step's first writes met by the faults. @returns its events */
  async function life(...faults: Fault[]): Promise<string[]> {
    const host = await stage.here();
    const before = await stage.version();
    const meet = () => database.failWrites(...faults);
    const met = async () => {
      await until(
        () => database.faultsLeft === 0,
        () => `${database.faultsLeft} faults met no write`,
      );
    };
    meet();
    const service = await stage.apply();
    meet();
    await host.syncUntil(() => host.jobs.length === 1, "is told to run nothing");
    await host.sync();
    await met();
    await until(
      async () => (await stage.client.service(service)).ready,
      () => "it does not become ready",
    );
    meet();
    await stage.apply(2, service);
    await host.syncUntil(() => host.jobs.length === 2, "is told nothing of the second");
    meet();
    await stage.client.stop(service);
    await host.syncUntil(async () => (await stage.client.service(service)).status === "stopped", "does not stop");
    await met();
    const events = (await stage.commits(before)).flatMap((commit) => commit.events);
    await stage.clear();
    return events.map(({ type, message }) => `${type}: ${message}`.replaceAll(service, "S").replaceAll(host.name, "H"));
  }

  test("loses requests or answers, is locked or starting: all is done as if it were not, and once", async () => {
    const expected = (await life()).sort();
    expect(expected.filter((event) => event.startsWith("service.applied"))).toHaveLength(2);
    expect((await life("lost", "unanswered")).sort()).toEqual(expected);
    expect((await life("refused", "busy")).sort()).toEqual(expected);
  });

  test.each(["refused", "busy"] as const)("is away (%s) is told of in words, and changes nothing", async (fault) => {
    const host = await stage.here();
    const service = await stage.serve(host);
    await host.sync();
    const version = await stage.version();
    const link = host.link;
    database.failAll(fault);
    try {
      const refused = { status: 503, code: "unavailable", message: expect.stringContaining("try again") };
      await Promise.all([
        expect(stage.apply(2, service)).rejects.toMatchObject(refused),
        expect(stage.client.services()).rejects.toMatchObject(refused),
        expect(host.dial()).rejects.toMatchObject({ name: LinkRefused.name, status: 503 }),
        expect(host.ask()).resolves.toMatchObject({ status: 503, error: { code: "unavailable" } }),
      ]);
      // Its link, and what it was told, do not need the database.
      expect(await host.sync({}, link)).toMatchObject({ status: 200, answer: { desired: null } });
    } finally {
      database.failAll(null);
    }
    expect(host.ended).toBeNull();
    expect(await stage.version()).toBe(version);
    expect((await stage.fetch(service, "/v1/models")).status).toBe(200);
  });

  test("is slow keeps those waiting who change something, and nobody else", async () => {
    const host = await stage.here();
    const service = await stage.serve(host);
    // What it has said before goes no further; news would wait for its commit.
    for (let i = 0; i < 2; i += 1) await host.sync();
    const before = await stage.version();
    let answer = () => {};
    database.failWrites(new Promise<void>((resolve) => (answer = resolve)));
    let isApplied = false;
    const applied = stage.apply(2, service).finally(() => {
      isApplied = true;
    });
    await until(
      () => database.faultsLeft === 0,
      () => "the apply reaches no database",
    );
    expect((await stage.client.service(service)).replicas).toHaveLength(1);
    expect((await stage.fetch(service, "/v1/models")).status).toBe(200);
    expect(await host.sync()).toMatchObject({ status: 200 });
    expect([isApplied, host.jobs.length]).toEqual([false, 1]);
    answer();
    await applied;
    await host.syncUntil(() => host.jobs.length === 2, "is told nothing of the second");
    const events = (await stage.commits(before)).flatMap((commit) => commit.events);
    expect(events.filter(({ type }) => type === "service.applied")).toHaveLength(1);
  });
});
