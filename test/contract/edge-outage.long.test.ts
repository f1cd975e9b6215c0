import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { LibsqlServer } from "../../scripts/libsql-server/server.ts";
import { apply } from "../crash/world.ts";
import { LinkStage } from "../support/link-stage.ts";
import { until } from "../support/processes.ts";

// A database that is away for longer than anybody waits.

let stage: LinkStage;
let database: LibsqlServer;
beforeAll(async () => {
  stage = await LinkStage.start("workerd");
  if (!stage.plane.database) throw new Error("the Worker has no database server");
  database = stage.plane.database;
});
afterEach(() => stage.clear());
afterAll(() => stage?.dispose());

/** More attempts than the controller makes in the time after which the Worker gives an answer. */
const ATTEMPTS = 13;

test("a change that the database confirms to nobody is refused in time, and made once when it can be", async () => {
  const before = await stage.version();
  database.failWrites(...Array.from({ length: ATTEMPTS }, () => "unanswered" as const));
  // Nothing is known of it but that it may have been made.
  const change = () => apply(stage.url, stage.token, "the-one-change", 1);
  const refused = await change().then(
    () => expect.unreachable(),
    (error: Error) => error.message,
  );
  expect(refused).toContain("503");
  expect(refused).toContain("repeat it under the same idempotency key");
  expect(database.faultsLeft).toBeGreaterThan(0);
  // Who reads waits for no write.
  expect(await stage.client.services()).toEqual([]);
  // It was, and is found by its key; the controller goes on until it knows that too.
  expect(await change()).toMatchObject({ service: "chat", revision: 1, action: "create" });
  await until(
    async () => (await stage.client.services()).length === 1,
    () => stage.server.output(),
  );
  expect(database.faultsLeft).toBe(0);
  const events = (await stage.commits(before)).flatMap((commit) => commit.events.map(({ type }) => type));
  expect(events.filter((type) => type === "service.applied")).toHaveLength(1);
});

test("an open service goes on being served while the database is away; who must show a token is told to try again", async () => {
  const host = await stage.here();
  const [closed, open] = [await stage.serve(host), await stage.apply(1, stage.name("s"), "auth: false\n")];
  await host.syncUntil(() => host.jobs.length === 2, "is told nothing of the second");
  await host.sync();
  const statusOf = async (service: string) => (await stage.fetch(service, "/v1/models")).status;
  await until(
    async () => (await statusOf(open)) === 200 && (await statusOf(closed)) === 200,
    () => "they are not served",
  );
  const before = await stage.version();
  database.failAll("refused");
  try {
    // A permission is believed for two seconds and not longer, so that a token which was revoked opens nothing.
    await until(
      async () => {
        expect(await statusOf(open)).toBe(200);
        expect(await host.sync()).toMatchObject({ status: 200 });
        return (await statusOf(closed)) === 503;
      },
      () => "the permission lasts for ever",
    );
    expect(await statusOf(open)).toBe(200);
  } finally {
    database.failAll(null);
  }
  expect(await statusOf(closed)).toBe(200);
  expect(host.ended).toBeNull();
  expect((await stage.commits(before)).flatMap(({ events }) => events)).toEqual([]);
});
