import { beforeEach, describe, expect, test } from "vitest";
import type { Machine } from "./machine.ts";
import type { Process } from "./process.ts";
import { eventsSince, JOBS, livingOf, MINUTE, PROJECT, pass, runningIn, servingWorld } from "./serving.ts";
import { unsettled } from "./settled.ts";
import type { World } from "./world.ts";

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
    expect(Object.keys(before.jobs)).toHaveLength(JOBS);
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

/** The starts, signals and removals among the lines of a history, each as `start JOB`. */
function actionsIn(lines: string[]): string[] {
  return lines.flatMap((line) => /: ((?:start|signal|remove) .*)$/.exec(line)?.[1] ?? []);
}
