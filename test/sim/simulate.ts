import { Clusters } from "./clusters.ts";
import type { Coverage } from "./coverage.ts";
import { FleetFiles } from "./fleet-files.ts";
import { Newcomers } from "./newcomers.ts";
import { Operators } from "./operators.ts";
import { Random } from "./random.ts";
import type { Broken } from "./rules/rules.ts";
import { unsettled } from "./settled.ts";
import { Traffic } from "./traffic.ts";
import { Users } from "./users.ts";
import { START, World } from "./world.ts";

/** How long things go wrong, and how long all may take after that to be as it was asked. */
const TROUBLE_MS = { min: 60_000, max: 300_000 };
const SETTLE_MS = 15 * 60_000;
/** Where agents are updated: one that does not come back is waited for as long, and the others follow it. */
const SETTLE_UPDATES_MS = 40 * 60_000;
const LOOK_MS = 1_000;
/** A settled world is left alone for this long, until nothing was committed for that long. */
const QUIET_MS = 30_000;
/** More than this many in one seed means that something turns in circles. */
const STEPS_MAX = 400_000;

export interface Outcome {
  seed: number;
  broken: Broken | null;
  hash: string;
  lines: string[];
  steps: number;
  commits: number;
  /** Virtual. */
  ms: number;
  /** Until all was as asked after the last fault; null when it never was. */
  settledInMs: number | null;
  coverage: Coverage;
}

export interface SimulateOptions {
  faults?: boolean;
  trace?: boolean;
}

/** Runs one seed from its beginning to its end. */
export async function simulate(seed: number, { faults = true, trace = false }: SimulateOptions = {}): Promise<Outcome> {
  const world = new World({ seed, faults, trace });
  const random = new Random(seed, "plan");
  const projects = random.chance(0.2) ? ["main", "other"] : ["main"];
  const kinds = new Random(seed, "kinds of machines");
  const containersShare = kinds.pick([0, 0, 0.5, 1]);
  const hasContainers = () => kinds.chance(containersShare);
  const clusters = new Clusters(seed);
  for (const project of projects) {
    await world.createProject(project, random.int(2, 4), () => random.int(1, 3), hasContainers, clusters.fleet);
  }
  const users = new Users(world, seed, projects);
  const operators = new Operators(world, users, seed, projects);
  const fleets = new FleetFiles(world, users, seed, projects, clusters);
  const newcomers = new Newcomers(world, seed, projects, hasContainers, clusters.fleet);
  const traffic = new Traffic(world, seed, projects);
  world.startServer();
  users.begin();
  operators.begin();
  fleets.begin();
  newcomers.begin();
  traffic.begin();
  world.releases.begin();
  world.faults.begin();
  const isOver = () => world.broken !== null || tooMany(world);
  await world.timeline.run(START + random.int(TROUBLE_MS.min, TROUBLE_MS.max), isOver);

  world.faults.end();
  operators.end();
  fleets.end();
  newcomers.end();
  world.releases.end();
  users.end();
  traffic.end();
  const settledInMs = world.broken ? null : await settle(world, users, isOver);
  return {
    seed,
    broken: world.broken,
    hash: world.history.hash(),
    lines: world.history.lines,
    steps: world.timeline.steps,
    commits: world.commits,
    ms: world.timeline.now - START,
    settledInMs,
    coverage: world.coverage,
  };
}

async function settle(world: World, users: Users, isOver: () => boolean): Promise<number | null> {
  const { timeline } = world;
  const began = timeline.now;
  const withinMs = world.releases.isOn ? SETTLE_UPDATES_MS : SETTLE_MS;
  world.note("faults", "end");
  let why: string | null = null;
  let settledAt: number | null = null;
  while (timeline.now < began + withinMs && !isOver()) {
    await timeline.run(timeline.now + LOOK_MS, isOver);
    why = users.isWaiting ? "a user still waits" : unsettled(world);
    settledAt = why === null ? (settledAt ?? timeline.now) : null;
    if (settledAt === null) continue;
    const lastCommitAt = Math.max(...[...world.ledgers.values()].map((ledger) => ledger.lastCommitAt));
    if (timeline.now >= Math.max(settledAt, lastCommitAt) + QUIET_MS) return settledAt - began;
    why = "all is as it was asked, but it is written again and again";
  }
  world.rules.check("settles", `not within ${withinMs / 60_000} minutes: ${why}`);
  return null;
}

function tooMany(world: World): boolean {
  if (world.timeline.steps < STEPS_MAX) return false;
  world.rules.check("takes turns", `more than ${STEPS_MAX} steps`);
  return true;
}
