import { beforeEach, describe, expect, test } from "vitest";
import type { JournalEvent } from "../../src/core/state.ts";
import { configOf } from "./config.ts";
import type { Machine } from "./machine.ts";
import type { Process } from "./process.ts";
import { unsettled } from "./settled.ts";
import { World } from "./world.ts";

const PROJECT = "main";
const HOSTS = 16;
const SERVICES = 4;
/** One router, two prefills, three decodes. */
const JOBS_EACH = 6;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Longer than a worker takes to end, to be started again, to load, and to be listed. */
const MENDED_MS = 2 * MINUTE;
/** Longer than a new control plane waits for its hosts, and than a silent host then takes to be lost. */
const RETURNED_MS = 3 * MINUTE;

/** An hour without control plane on many hosts, in virtual time; the drill of two real minutes is in test/drills. */
describe("a control plane that was gone", () => {
  let world: World;
  /** What ran, and whom the routers listed, when it went. */
  let before: ReturnType<typeof runningIn>;
  let version: number;

  beforeEach(async () => {
    world = await servingWorld();
    before = runningIn(world);
    version = world.ledger(PROJECT).state.version;
    expect(Object.keys(before.jobs)).toHaveLength(SERVICES * JOBS_EACH);
    world.beginOutage();
  });

  test("for an hour finds everything as it was, but for what crashed, which was started again in place", async () => {
    const crashed: string[] = [];
    const linesBefore = world.history.lines.length;
    for (let left = HOUR; left > 0; left -= 5 * MINUTE) {
      const victim = livingOf(world)[crashed.length * 2] as Process;
      victim.crash();
      crashed.push(victim.job);
      await pass(world, MENDED_MS);
      expect(runningIn(world)).toEqual({ jobs: oneMoreAttempt(before.jobs, crashed), lists: before.lists });
      await pass(world, 5 * MINUTE - MENDED_MS);
    }
    expect(crashed).toHaveLength(12);

    world.endOutage();
    await pass(world, RETURNED_MS);
    expect(unsettled(world)).toBeNull();
    expect(runningIn(world)).toEqual({ jobs: oneMoreAttempt(before.jobs, crashed), lists: before.lists });
    expect(await eventsSince(world, version)).toEqual([]);
    // All that agents did in that time: no signal, no removal, and no start but those.
    expect(actionsIn(world.history.lines.slice(linesBefore))).toEqual(crashed.map((job) => `start ${job}`));
  });

  test("decides nothing while most hosts stay silent, says so, and finds everything as it was once they are back", async () => {
    await pass(world, HOUR / 6);
    // Of those that run something one in four is heard of, wherever it was placed.
    const heard = world.machines.filter(({ processes }) => processes.size > 0).filter((_, index) => index % 4 === 0);
    const silent = world.machines.filter((machine) => !heard.includes(machine));
    for (const machine of silent) world.network.cut(machine, "control");
    world.endOutage();
    await pass(world, 10 * MINUTE);
    const server = world.servers[0];
    const hosts = await server?.control.hosts(PROJECT);
    const running = silent.filter(({ processes }) => processes.size > 0).map(({ name }) => name);
    expect(hosts?.filter(({ frozen }) => frozen).map(({ id }) => id)).toEqual(running.sort());
    expect(runningIn(world)).toEqual(before);

    for (const machine of silent) world.network.heal(machine);
    await pass(world, RETURNED_MS);
    expect(unsettled(world)).toBeNull();
    expect(runningIn(world)).toEqual(before);
    const told = (await eventsSince(world, version)).map(({ type }) => type);
    expect(told.filter((type) => type.startsWith("fleet."))).toEqual(["fleet.frozen", "fleet.thawed"]);
    expect(told.filter((type) => type.startsWith("replica."))).toEqual([]);
  });

  test("replaces what was on hosts that died meanwhile, and touches nothing else", async () => {
    const dead = world.machines.slice(0, 2);
    await pass(world, HOUR / 12);
    for (const machine of dead) powerOff(machine);
    await pass(world, HOUR / 12);

    world.endOutage();
    await pass(world, 5 * MINUTE);
    const after = runningIn(world);
    const isDead = (run: { host: string }) => dead.some((machine) => machine.name === run.host);
    const kept = Object.entries(before.jobs).filter(([, run]) => !isDead(run));
    expect(Object.entries(after.jobs)).toEqual(expect.arrayContaining(kept));
    expect(Object.keys(after.jobs)).toHaveLength(Object.keys(before.jobs).length);
    const told = (await eventsSince(world, version)).map(({ type }) => type);
    expect(told.filter((type) => type === "replica.lost")).toHaveLength(
      Object.values(before.jobs).filter(isDead).length,
    );
    expect(told).not.toContain("fleet.frozen");
  });
});

/** Many hosts and a few routed services, all of which serve. */
async function servingWorld(): Promise<World> {
  const world = new World({ seed: 1, faults: false, trace: true });
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

async function pass(world: World, ms: number): Promise<void> {
  const { timeline } = world;
  // What the test itself has just asked for comes first.
  timeline.after(0, () => timeline.awaits());
  await timeline.run(timeline.now + ms);
  expect(world.broken).toBeNull();
}

function livingOf(world: World): Process[] {
  const all = world.machines.flatMap(({ processes }) => [...processes.values()]);
  return all.filter(({ end }) => end === null).sort((a, b) => (a.job < b.job ? -1 : 1));
}

/** Every job that runs, where and as which attempt, and the workers that each router lists. */
function runningIn(world: World) {
  const living = livingOf(world);
  const runs = living.map(({ job, machine, attempt }) => [job, { host: machine.name, attempt }] as const);
  const lists = living.flatMap(({ job, smg, machine }) => {
    const workers = smg?.live().map(({ url }) => world.reach(machine, url)?.job ?? `nobody at ${url}`);
    return workers ? [[job, workers.sort()] as const] : [];
  });
  return { jobs: Object.fromEntries(runs), lists: Object.fromEntries(lists) };
}

function oneMoreAttempt(jobs: ReturnType<typeof runningIn>["jobs"], crashed: string[]) {
  const after = Object.entries(jobs).map(([job, run]) => [
    job,
    crashed.includes(job) ? { ...run, attempt: run.attempt + 1 } : run,
  ]);
  return Object.fromEntries(after);
}

function powerOff(machine: Machine): void {
  machine.powerOff();
  machine.world.network.watch(machine);
}

async function eventsSince(world: World, version: number): Promise<JournalEvent[]> {
  const { rows } = await world.store.journal(PROJECT, version, 1_000);
  return rows.flatMap(({ events }) => events);
}

/** The starts, signals and removals among the lines of a history, each as `start JOB`. */
function actionsIn(lines: string[]): string[] {
  return lines.flatMap((line) => /: ((?:start|signal|remove) .*)$/.exec(line)?.[1] ?? []);
}
