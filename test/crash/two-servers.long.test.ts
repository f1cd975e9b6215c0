import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ApplyAnswer } from "../../src/control/views/views.ts";
import { type ObedientAgent, WentBack } from "../support/obedient-agent.ts";
import { until } from "../support/processes.ts";
import { CrashServer, serverFiles } from "./crash-server.ts";
import { databaseFacts } from "./database-facts.ts";
import type { Point } from "./fault.ts";
import { rehearse, type Stage, settle, Workbench } from "./kill-at-write.ts";
import { apply, hasReady, PLAIN_LIFE, type World } from "./world.ts";

// Nobody should start two servers on one data folder; whoever does must lose nothing by it.

let bench: Workbench;
/** A service with two ready workers, and what scales it. */
let stage: Stage;
beforeAll(async () => {
  bench = await Workbench.make();
  stage = (await rehearse(bench, PLAIN_LIFE)).at(-1) as Stage;
});
afterAll(() => bench.remove());

/** Requests that each of two writers sends, one after another. */
const REQUESTS = 12;
/** In the middle of which write of the first server it is stopped, and how much the other does meanwhile. */
const STOPPED_AT_WRITE = 6;
const MEANWHILE = 4;
/** For how long the other may be kept waiting by a lock that the stopped one holds. */
const LOCKED_MS_MAX = 3_000;

async function two(folder: string): Promise<[CrashServer, CrashServer]> {
  return [await CrashServer.start(folder, bench.codeCache), await CrashServer.start(folder, bench.codeCache)];
}

for (const point of ["before", "inside", "applied"] as Point[]) {
  test(`two servers on one folder, one of them stopped ${point} a write: all is done once`, async () => {
    const folder = await bench.copy(stage.folder);
    const servers = await two(folder);
    const [halting, other] = servers;
    const { adminToken, agent } = stage.world;
    const host = agent?.clone() as NonNullable<World["agent"]>;
    const acknowledged: ApplyAnswer[][] = [[], []];
    try {
      await halting.set({ write: STOPPED_AT_WRITE, point, delayUs: 150, signal: "SIGSTOP" });
      let writing = true;
      const write = async (server: CrashServer, i: 0 | 1) => {
        for (let n = 0; n < REQUESTS; n += 1) {
          const send = () => apply(server.url, adminToken, `writer-${i}-${n}`, 1 + ((n + i) % 3));
          // Once more for one that a lock kept waiting too long: under the same key.
          acknowledged[i]?.push((await send().catch(send)) as ApplyAnswer);
        }
      };
      const writers = Promise.all([write(halting, 0), write(other, 1)]).finally(() => {
        writing = false;
      });
      // An agent whose link ends now here, now there, as behind a balancer; it refuses whatever goes back in version.
      const following = (async () => {
        for (let turn = 0; writing; turn += 1) {
          const at = servers[turn % 2] as CrashServer;
          if (isStopped(at)) continue;
          // One that stops under it, or is locked, it leaves for the other.
          await follow(host, at).catch((error) => {
            if (error instanceof WentBack) throw error;
          });
        }
      })();
      const continuing = (async () => {
        await until(
          () => isStopped(halting),
          () => "it is not stopped",
        );
        const [before, since] = [acknowledged[1]?.length ?? 0, performance.now()];
        const isEnough = () => (acknowledged[1]?.length ?? 0) >= Math.min(before + MEANWHILE, REQUESTS);
        await until(
          () => isEnough() || performance.now() - since > LOCKED_MS_MAX,
          () => "nothing goes on",
        );
        // Only a lock may keep the other waiting.
        if (point !== "inside") expect(isEnough()).toBe(true);
        halting.child.kill("SIGCONT");
      })();
      await Promise.all([writers, following, continuing]);
      const last = (await apply(halting.url, adminToken, "the-last", 2)) as ApplyAnswer;
      await host.connect(halting.url);
      await settle(stage.operation.name, () => hasReady(halting.url, adminToken, 2), host);

      const answers = [...acknowledged.flat(), last];
      const changing = answers.filter(({ action }) => action !== "none");
      // No two requests were given one revision, and none one that another commit had made.
      expect(new Set(changing.map(({ revision }) => revision)).size).toBe(changing.length);
    } finally {
      halting.child.kill("SIGCONT");
      host.close();
      for (const server of servers) await server.kill();
    }
    const facts = await databaseFacts(serverFiles(folder).dataDir);
    const keys = [0, 1].flatMap((i) => Array.from({ length: REQUESTS }, (_, n) => `writer-${i}-${n}`));
    expect(facts.requests).toEqual(expect.arrayContaining([...keys, "the-last"]));
    const applied = facts.events.filter((event) => event.includes('"service.applied"'));
    expect(new Set(applied).size).toBe(applied.length);
  });
}

test("one request sent to two servers at once under one key is done once, and a stale one reads before it answers a sync", async () => {
  const folder = await bench.copy(stage.folder);
  const [fresh, stale] = await two(folder);
  const { adminToken, agent } = stage.world;
  const host = agent?.clone() as NonNullable<World["agent"]>;
  try {
    await hasReady(stale.url, adminToken, 2);
    const [one, same] = await Promise.all([
      apply(fresh.url, adminToken, "key-to-both", 3),
      apply(stale.url, adminToken, "key-to-both", 3),
    ]);
    expect(same).toEqual(one);
    await host.connect(fresh.url);
    await settle("scaled", () => hasReady(fresh.url, adminToken, 3), host);
    const held = { version: host.version, jobs: host.jobs.map(({ job }) => job) };
    await host.connect(stale.url);
    await host.sync();
    expect(host.version).toBeGreaterThanOrEqual(held.version);
    expect(host.jobs.map(({ job }) => job)).toEqual(held.jobs);
  } finally {
    host.close();
    for (const server of [fresh, stale]) await server.kill();
  }
});

async function follow(host: ObedientAgent, server: CrashServer): Promise<void> {
  await host.connect(server.url);
  await host.sync();
  await host.sync();
}

function isStopped(server: CrashServer): boolean {
  return readFileSync(`/proc/${server.child.pid}/stat`, "utf8").split(") ").at(-1)?.startsWith("T") ?? false;
}
