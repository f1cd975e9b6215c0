import { afterAll, beforeAll, expect, test } from "vitest";
import { EdgePlane } from "../support/edge/edge-plane.ts";
import { filledProject } from "../support/edge/filled-project.ts";
import { cpuSeconds } from "../support/process-figures.ts";

// What the platform gives one isolate, and one invocation, held over a project as large as any should be on Workers. CPU
// is the whole process's, which is more than that of its isolate; on plain workerd all objects are in one isolate.

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
  const heap = await plane.heap();
  const mib: Record<string, number> = { empty: await heap.mib() };
  const measured = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const before = cpuSeconds(plane.pid);
    const done = await work();
    cpu[what] = cpuSeconds(plane.pid) - before;
    mib[what] = await heap.mib();
    return done;
  };
  const services = await measured("load", () => plane.client().services());
  expect(services).toHaveLength(100);
  await measured("stop", () => plane.client().stop("service-0"));
  // Each of its hosts is told, in invocations of their own, and many more with the services that follow.
  await measured("stop nine more", async () => {
    for (let i = 1; i < 10; i += 1) await plane.client().stop(`service-${i}`);
  });
  await measured("tick", () => plane.ringCron());
  await measured("look", () => plane.client().service("service-11"));
  await measured("list hosts", () => plane.client().hosts());
  heap.close();
  const told = (of: Record<string, number>, unit: string) =>
    Object.entries(of).map(([what, value]) => `${what} ${value.toPrecision(3)} ${unit}`);
  process.stderr.write(`${[...told(mib, "MiB"), ...told(cpu, "s")].join(", ")}\n`);
  for (const [what, size] of Object.entries(mib)) expect(size, what).toBeLessThan(ISOLATE_MIB);
  for (const [what, seconds] of Object.entries(cpu)) expect(seconds, what).toBeLessThan(INVOCATION_CPU_S);
});
