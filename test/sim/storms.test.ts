import { describe, expect, test } from "vitest";
import type { Machine } from "./machine.ts";
import { Random } from "./random.ts";
import { eventsSince, HOSTS, MINUTE, PROJECT, pass, runningIn, servingWorld } from "./serving.ts";
import { unsettled } from "./settled.ts";
import type { World } from "./world.ts";

/** One in which each of the mutants of test/mutants/ that this test is to catch shows. */
const SEED = 13;
/** Storms that follow each other in one world. */
const STORMS = 3;
/**
 * What a slow server takes to read a report of each host, one by one: longer than a host may be silent, and than most of
 * them have to come back in, but for the last of these less than the 20 s for which an agent waits for an answer.
 */
const READ_ALL_MS = { min: 9_000, max: 18_000 };
/**
 * The same of one that stays slow: were all to come every 10 s, as hosts with jobs do that are told nothing else, reports
 * would wait for longer than the 20 s.
 */
const READ_ALL_FOR_LONG_MS = 48_000;
/** After a start nothing is decided while hosts come back, however often their agents have to ask. */
const READ_ALL_AFTER_START_MS = { min: 20_000, max: 40_000 };
/** Longer than a host may be silent, shorter than it takes to be lost. */
const AWAY_MS = { min: 22_000, max: 27_000 };

/** Hosts that come back to a server that is too slow for them, in virtual time; a real one is in test/e2e/. */
describe("a server that reads slowly decides nothing about hosts whose reports wait, when", () => {
  test("all links are cut at once", async () => {
    await weather(READ_ALL_MS, (world) => world.servers[0]?.cutLinks());
  });

  test("links of less than half of the hosts are cut, which nobody would take for an outage", async () => {
    await weather(READ_ALL_MS, (world, random) => {
      const cut = someOf(world, random);
      world.servers[0]?.cutLinks((machine) => cut.includes(machine));
    });
  });

  test("agents were away and come back in the last moment", async () => {
    await weather(READ_ALL_MS, (world, random) => {
      for (const machine of someOf(world, random)) {
        machine.agent?.vanish();
        machine.agent = null;
        world.timeline.after(random.int(AWAY_MS.min, AWAY_MS.max), () => world.startAgent(machine));
      }
    });
  });

  test("it was killed and started again", async () => {
    await weather(READ_ALL_AFTER_START_MS, (world) => world.servers[0]?.crash());
  });
});

test("a server that is too slow for how often hosts come asks them to come more rarely, and hardly a report is given up", async () => {
  const world = await servingWorld(SEED);
  const givenUp = () => world.coverage.times("report", "given up");
  world.faults.slowServers(READ_ALL_FOR_LONG_MS / HOSTS);
  await pass(world, 5 * MINUTE);
  const before = givenUp();
  await pass(world, 15 * MINUTE);
  // Without it ten and more a minute are.
  expect(givenUp() - before).toBeLessThan(HOSTS / 2);
});

/** A few storms, after each of which everything runs as before, and no replica was ever thought to be anything but well. */
async function weather(
  readAllMs: { min: number; max: number },
  begin: (world: World, random: Random) => void,
): Promise<void> {
  const world = await servingWorld(SEED);
  const random = new Random(SEED, "storms");
  const before = runningIn(world);
  const { version } = world.ledger(PROJECT).state;
  for (let storm = 0; storm < STORMS; storm += 1) {
    world.faults.slowServers(Math.ceil(random.int(readAllMs.min, readAllMs.max) / HOSTS));
    await pass(world, random.int(0, MINUTE));
    begin(world, random);
    await pass(world, 3 * MINUTE);
    world.faults.slowServers(0);
    await pass(world, MINUTE);
    expect(unsettled(world)).toBeNull();
    expect(runningIn(world)).toEqual(before);
  }
  const told = (await eventsSince(world, version)).map(({ type }) => type);
  expect(told.filter((type) => type.startsWith("replica."))).toEqual([]);
  expect(world.coverage.has("report", "waited")).toBe(true);
}

/** Less than half of the machines. */
function someOf(world: World, random: Random): Machine[] {
  const count = random.int(1, HOSTS / 2 - 1);
  const left = [...world.machines];
  return Array.from({ length: count }, () => left.splice(random.int(0, left.length - 1), 1)[0] as Machine);
}
