import { afterAll, beforeAll, expect, test } from "vitest";
import { EdgePlane } from "../support/edge/edge-plane.ts";
import { filledProject } from "../support/edge/filled-project.ts";
import { cpuSeconds, residentMib } from "../support/process-figures.ts";

// What the platform gives one isolate, and one invocation, held over the largest project that the limits allow. The
// figures are of the whole process, which are more than those of its isolate.

const ISOLATE_MIB = 128;
/** CPU of one invocation on the paid plan, where nothing else is configured. */
const INVOCATION_CPU_S = 30;

let plane: EdgePlane;

beforeAll(async () => {
  const filled = filledProject({ replicas: 10_000, hosts: 1_000 });
  plane = await EdgePlane.start((store) => store.commit(filled));
});

afterAll(() => plane.dispose());

test("a project of 10,000 replicas on 1,000 hosts is loaded, changed and looked at within an isolate's memory and an invocation's CPU", async () => {
  const cpu: Record<string, number> = {};
  const measured = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const before = cpuSeconds(plane.pid);
    const done = await work();
    cpu[what] = cpuSeconds(plane.pid) - before;
    return done;
  };
  const empty = residentMib(plane.pid);
  const services = await measured("load", () => plane.client().services());
  expect(services).toHaveLength(100);
  const loaded = residentMib(plane.pid);
  await measured("stop", () => plane.client().stop("service-0"));
  await measured("tick", () => plane.ringCron());
  await measured("look", () => plane.client().service("service-1"));
  const worked = residentMib(plane.pid);
  process.stderr.write(
    `workerd, MiB: ${empty.toFixed(0)} empty, ${loaded.toFixed(0)} loaded, ${worked.toFixed(0)} after a commit; ` +
      `CPU: ${Object.entries(cpu).map(([what, seconds]) => `${what} ${seconds.toFixed(2)} s`)}\n`,
  );
  expect(loaded - empty).toBeLessThan(ISOLATE_MIB);
  for (const [what, seconds] of Object.entries(cpu)) expect(seconds, what).toBeLessThan(INVOCATION_CPU_S);
});
