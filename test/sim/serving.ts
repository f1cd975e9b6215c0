import { expect } from "vitest";
import type { JournalEvent } from "../../src/core/state.ts";
import { configOf } from "./config.ts";
import type { Process } from "./process.ts";
import { unsettled } from "./settled.ts";
import { World } from "./world.ts";

export const PROJECT = "main";
export const HOSTS = 16;
const SERVICES = 4;
/** One router, two prefills, three decodes. */
const JOBS_EACH = 6;
export const JOBS = SERVICES * JOBS_EACH;
export const MINUTE = 60_000;

/** Many hosts and a few routed services, all of which serve. */
export async function servingWorld(seed = 1): Promise<World> {
  const world = new World({ seed, faults: false, trace: true });
  await world.createProject(PROJECT, HOSTS, () => 3);
  const server = world.startServer();
  await pass(world, MINUTE);
  for (let number = 1; number <= SERVICES; number += 1) {
    const groups = { shape: "prefill-decode", routers: 1, prefills: 2, workers: 3 } as const;
    const wanted = { ...groups, gpus: 1, hasImage: false, drainTimeoutS: 30, maxDurationS: null };
    const config = configOf({ ...wanted, service: `service-${number}` });
    const request = { config, file: "service.yml", env: { HF_TOKEN: "hf-1" }, files: [] };
    const applied = server.control.apply(server.caller(PROJECT), request, `apply-${number}`);
    await pass(world, MINUTE);
    await applied;
  }
  await pass(world, 5 * MINUTE);
  expect(unsettled(world)).toBeNull();
  return world;
}

/** Lets time pass, in which no rule is broken. */
export async function pass(world: World, ms: number): Promise<void> {
  const { timeline } = world;
  // What the test itself has just asked for comes first.
  timeline.after(0, () => timeline.awaits());
  await timeline.run(timeline.now + ms);
  expect(world.broken, world.broken?.rule).toBeNull();
}

export function livingOf(world: World): Process[] {
  const all = world.machines.flatMap(({ processes }) => [...processes.values()]);
  return all.filter(({ end }) => end === null).sort((a, b) => (a.job < b.job ? -1 : 1));
}

/** Every job that runs, where and as which attempt, and the workers that each router lists. */
export function runningIn(world: World) {
  const living = livingOf(world);
  const runs = living.map(({ job, machine, attempt }) => [job, { host: machine.name, attempt }] as const);
  const lists = living.flatMap(({ job, smg, machine }) => {
    const workers = smg?.live().map(({ url }) => world.reach(machine, url)?.job ?? `nobody at ${url}`);
    return workers ? [[job, workers.sort()] as const] : [];
  });
  return { jobs: Object.fromEntries(runs), lists: Object.fromEntries(lists) };
}

/** What the journal tells of what happened after a version. */
export async function eventsSince(world: World, version: number): Promise<JournalEvent[]> {
  const { rows } = await world.store.journal(PROJECT, version, 1_000);
  return rows.flatMap(({ events }) => events);
}
