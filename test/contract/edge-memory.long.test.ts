import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EdgePlane } from "../support/edge/edge-plane.ts";
import { filledProject } from "../support/edge/filled-project.ts";

/** What the platform gives one isolate, in MB. */
const ISOLATE_MB = 128;

let plane: EdgePlane;

beforeAll(async () => {
  const filled = filledProject({ replicas: 10_000, hosts: 1_000 });
  plane = await EdgePlane.start((store) => store.commit(filled));
});

afterAll(() => plane.dispose());

/** What the whole process holds, in MB: more than its isolate does. */
function residentMb(): number {
  const status = readFileSync(`/proc/${plane.pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024;
}

test("a project of 10,000 replicas on 1,000 hosts is loaded, changed and looked at within an isolate's memory", async () => {
  const empty = residentMb();
  const began = performance.now();
  const services = await plane.client().services();
  const loadedMs = performance.now() - began;
  expect(services).toHaveLength(100);
  const loaded = residentMb();
  await plane.client().stop("service-0");
  await plane.ringCron();
  await plane.client().service("service-1");
  const worked = residentMb();
  process.stderr.write(
    `workerd, MB: ${empty.toFixed(0)} empty, ${loaded.toFixed(0)} with the project loaded in ${loadedMs.toFixed(0)} ms, ` +
      `${worked.toFixed(0)} after a commit\n`,
  );
  expect(loaded - empty).toBeLessThan(ISOLATE_MB);
});
