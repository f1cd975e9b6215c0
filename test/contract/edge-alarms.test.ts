import { afterEach, beforeEach, expect, test } from "vitest";
import { FIRST_PROJECT } from "../../src/node/first-start.ts";
import { remoteClient } from "../../src/store/remote.ts";
import { EdgePlane } from "../support/edge/edge-plane.ts";
import type { ObedientAgent } from "../support/obedient-agent.ts";
import { until } from "../support/processes.ts";

// Whatever a crash or the platform leaves, somebody looks at what is due: the alarm, which is set before a commit, or
// the sweep, which finds what the commit says. Nobody asks anything of the control plane meanwhile.

const CONFIG = `
type: service
name: web
port: 8000
commands: [python3 -m http.server $HEADRACE_PORT]
resources: { cpu: 1.., memory: 100MB.., disk: 100MB.. }
`;

let plane: EdgePlane;
let agent: ObedientAgent;

beforeEach(async () => {
  plane = await EdgePlane.start();
  agent = await plane.join("host-1", await plane.joinToken());
  await agent.connect(plane.url);
  await agent.sync();
});

afterEach(async () => {
  agent.close();
  await plane.dispose();
});

/** The types of the events after a version, as the database has them. */
async function eventsAfter(version: number): Promise<string[]> {
  const { rows } = await plane.store.journal(FIRST_PROJECT, version, 100);
  return rows.flatMap(({ events }) => events.map(({ type }) => type));
}

async function version(): Promise<number> {
  return (await plane.store.load(FIRST_PROJECT))?.version ?? 0;
}

/** The service runs on the agent's host and is ready. */
async function serve(): Promise<void> {
  await plane.client().apply({ config: CONFIG });
  await until(
    async () => {
      await agent.sync();
      return (await plane.client().service("web")).ready;
    },
    () => plane.output(),
  );
}

/** The apply as one request, which nobody repeats. */
function applyOnce(): Promise<Response> {
  return fetch(`${plane.url}/api/projects/${FIRST_PROJECT}/apply`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${plane.token}`,
      "content-type": "application/json",
      "idempotency-key": "the-one-apply",
    },
    body: JSON.stringify({ config: CONFIG }),
  });
}

test("alarms that were lost, with all that an object had in storage, are made up for by the sweep", async () => {
  await serve();
  const before = await version();
  await plane.client().stop("web");
  // It drains now: two seconds from here time alone moves it on.
  const wakeAt = (await plane.store.load(FIRST_PROJECT))?.wakeAt ?? 0;
  expect(wakeAt).toBeGreaterThan(0);
  agent.close();
  await plane.stop();
  await plane.loseObjects();
  await plane.run();
  await until(
    () => Date.now() > wakeAt,
    () => "it is never due",
  );
  await plane.ringCron();
  expect(await eventsAfter(before)).toEqual(["service.stopping", "replica.unlisting"]);
  // So long overdue that the sweep does not take the alarm for late.
  const database = remoteClient(plane.database.url, null);
  await database.execute("UPDATE projects SET wake_at = wake_at - 31000");
  database.close();
  await plane.ringCron();
  await until(
    async () => (await eventsAfter(before)).includes("replica.quiescing"),
    () => plane.output(),
  );
});

test("a control plane that is killed while its commit is on its way looks by itself at what became of it", async () => {
  // What the agent has said is answered to it again, until its host's object is woken.
  await agent.sync();
  let write = () => {};
  plane.database.failWrites(new Promise<void>((resolve) => (write = resolve)));
  const unanswered = expect(applyOnce()).rejects.toThrow();
  await until(
    () => plane.database.faultsLeft === 0,
    () => "the commit does not come",
  );
  await plane.stop();
  await unanswered;
  const before = await version();
  write();
  await plane.run();
  await until(
    async () => ((await plane.counts()).calls["project>link.wake"] ?? 0) > 0,
    () => "the host is not woken",
  );
  await agent.connect(plane.url);
  await until(
    async () => {
      await agent.sync();
      return agent.jobs.length === 1;
    },
    () => "the host is not told",
  );
  expect((await eventsAfter(before)).filter((type) => type === "service.applied")).toHaveLength(1);
});
