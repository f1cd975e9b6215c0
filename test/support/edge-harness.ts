import { join } from "node:path";
import { createTestHarness } from "wrangler";
import { ROOT } from "../../scripts/bootstrap.js";
import { type ControlPlane, firstDatabase, type Place, TEST_KEY } from "./control-planes.ts";

/** What can be done to the Durable Objects of a Worker in wrangler's harness. */
export interface ObjectsControl {
  /** Puts a host's object away; its socket stays open, as when the object sleeps. */
  sleep(project: string, host: string): Promise<void>;
  /** Puts a project's object away, with all that it has in memory. */
  evict(project: string): Promise<void>;
  /** One ring of the cron trigger. @returns what it came to */
  cron(): Promise<string>;
}

/**
 * The Worker as `wrangler.jsonc` has it, in wrangler's test harness: the same objects as elsewhere, which a test can put
 * away when it likes. Its front is slow and bunches streams, so nothing is measured here.
 */
export async function harnessPlane({ folder }: Place): Promise<{ plane: ControlPlane; objects: ObjectsControl }> {
  const { database, token } = await firstDatabase(folder);
  const vars = { HEADRACE_DATABASE_URL: database.url, HEADRACE_KEY: TEST_KEY };
  process.env.WRANGLER_SEND_METRICS ??= "false";
  const harness = createTestHarness({ workers: [{ configPath: join(ROOT, "wrangler.jsonc"), vars }] });
  const { url } = await harness.listen();
  const worker = harness.getWorker();
  const running = {
    pid: process.pid,
    output: () => "",
    ended: Promise.resolve(null),
    stop: async () => harness.close(),
  };
  return {
    plane: {
      url: url.origin,
      // It runs in this process's care from the beginning, and is not killed.
      start: async () => running as never,
      token: async () => token,
      deploy: async () => {},
      database,
      dispose: () => database.close(),
    },
    objects: {
      sleep: (project, host) =>
        worker.evictDurableObject("LINK", { name: `${project}/${host}`, webSockets: "hibernate" }),
      evict: (project) => worker.evictDurableObject("PROJECT", { name: project }),
      cron: async () => (await worker.scheduled({ cron: "* * * * *", scheduledTime: new Date() })).outcome,
    },
  };
}
