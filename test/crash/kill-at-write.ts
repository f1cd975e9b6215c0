import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { type RunningServer, startServer } from "../../src/node.ts";
import { CrashServer, serverFiles } from "./crash-server.ts";
import { type DatabaseFacts, databaseFacts } from "./database-facts.ts";
import { type Fault, FaultyStore } from "./fault.ts";
import type { Operation, World } from "./world.ts";

/** A server's folder and the world around it, before an operation, with what came of it without a fault. */
export interface Stage {
  operation: Operation;
  key: string;
  folder: string;
  world: World;
  /** Writes that the server made for it. */
  writes: number;
  answer: unknown;
  facts: DatabaseFacts;
}

export interface Killed {
  /** False when the operation needed fewer writes: it was over and nothing was hit. */
  reached: boolean;
  /** The answer that came before the end; undefined when none did. */
  answered: unknown;
  /** The answer to the same request, sent again. */
  repeated: unknown;
  facts: DatabaseFacts | null;
}

/** Settled: as asked, and two syncs in a row brought nothing new. */
const QUIET_SYNCS = 2;
/** Between syncs that brought nothing; what is awaited then are spans of two seconds. */
const PAUSE_MS = 20;
const SETTLE_MS_MAX = 60_000;

/** Folders of one test file, removed with it. */
export class Workbench {
  readonly folder: string;
  private copies = 0;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<Workbench> {
    return new Workbench(await mkdtemp(join(tmpdir(), "headrace-crash-")));
  }

  get codeCache(): string {
    return join(this.folder, "code");
  }

  /** A copy of a server's folder, or an empty one. */
  async copy(of: string | null): Promise<string> {
    this.copies += 1;
    const folder = join(this.folder, `copy-${this.copies}`);
    if (of !== null) await cp(of, folder, { recursive: true });
    return folder;
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}

export function serve(folder: string, faulty = new FaultyStore()): Promise<RunningServer> {
  const flags = { ...serverFiles(folder), host: "127.0.0.1", port: 0 };
  return startServer(
    flags,
    () => {},
    (store) => faulty.around(store),
  );
}

/** Goes through a life without a fault. @returns each operation with what was there before it and what came of it */
export async function rehearse(bench: Workbench, life: Operation[]): Promise<Stage[]> {
  let folder = await bench.copy(null);
  const first = await serve(folder);
  await first.close();
  let world: World = {
    adminToken: first.firstStart?.adminToken ?? "",
    joinToken: "",
    joinTokenId: "",
    agent: null,
    removed: null,
  };
  const stages: Stage[] = [];
  for (const [i, operation] of life.entries()) {
    const before = { folder, world: copyOf(world) };
    folder = await bench.copy(folder);
    const key = `key-of-step-${i}`;
    const counted = new FaultyStore();
    const server = await serve(folder, counted);
    try {
      await link(world, server.url);
      await counted.set(null);
      const answer = await operation.request(server.url, world, key);
      operation.take?.(world, answer as never);
      await settle(operation.name, () => operation.isDone(server.url, world), world.agent);
      await server.close();
      const facts = await databaseFacts(serverFiles(folder).dataDir);
      stages.push({ operation, key, ...before, writes: counted.writes, answer, facts });
    } finally {
      world.agent?.close();
    }
    world = copyOf(world);
  }
  return stages;
}

/** The same operation with a control plane that is killed at one of its writes, then another one in its place. */
async function killAt(bench: Workbench, stage: Stage, fault: Fault): Promise<Killed> {
  const { operation, key } = stage;
  const folder = await bench.copy(stage.folder);
  const world = copyOf(stage.world);
  const doomed = await CrashServer.start(folder, bench.codeCache);
  let answered: unknown;
  try {
    await link(world, doomed.url);
    await doomed.set(fault);
    answered = await operation.request(doomed.url, world, key).catch(unlessRunning(doomed));
    if (answered !== undefined) operation.take?.(world, answered as never);
    const isDone = () => operation.isDone(doomed.url, world);
    await settle(operation.name, isDone, world.agent).catch(unlessRunning(doomed));
    if ((await doomed.writes()) !== null) return { reached: false, answered, repeated: undefined, facts: null };
  } finally {
    await doomed.kill();
    world.agent?.close();
  }
  await assertWhole(bench, folder);
  const server = await serve(folder);
  try {
    await link(world, server.url);
    const repeated = await operation.request(server.url, world, key);
    operation.take?.(world, repeated as never);
    await settle(operation.name, () => operation.isDone(server.url, world), world.agent);
    await server.close();
    return { reached: true, answered, repeated, facts: await databaseFacts(serverFiles(folder).dataDir) };
  } finally {
    world.agent?.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** What a server that was killed leaves does not contradict itself, whatever the next one makes of it. */
async function assertWhole(bench: Workbench, folder: string): Promise<void> {
  const copy = await bench.copy(folder);
  await databaseFacts(serverFiles(copy).dataDir);
  await rm(copy, { recursive: true, force: true });
}

/** A failure is expected of a server that is gone, and of no other. */
function unlessRunning(server: CrashServer) {
  return async (error: unknown): Promise<undefined> => {
    // The connection may break a moment before the process is seen to be gone.
    const gone = await Promise.race([server.ended.then(() => true), new Promise((r) => setTimeout(r, 5_000, false))]);
    if (!gone) throw error;
  };
}

/** A host that has joined links up and says what it runs. */
async function link({ agent }: World, url: string): Promise<void> {
  if (!agent || agent.host === "") return;
  await agent.connect(url);
  await agent.sync();
}

/** Syncs until what was asked has happened and nothing new comes of it. */
export async function settle(what: string, isDone: () => Promise<boolean>, agent: World["agent"]): Promise<void> {
  const deadline = performance.now() + SETTLE_MS_MAX;
  for (let quiet = 0; quiet < QUIET_SYNCS; ) {
    if (performance.now() > deadline) throw new Error(`${what}: it did not settle`);
    const before = agent?.version;
    if (agent?.isLinked) await agent.sync();
    const isQuiet = agent?.version === before;
    if (await isDone()) quiet = isQuiet ? quiet + 1 : 0;
    else if (isQuiet) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

function copyOf({ agent, ...world }: World): World {
  return { ...world, agent: agent?.clone() ?? null };
}

/**
 * Kills the control plane at every write that an operation makes, and checks that another one in its place, asked the
 * same again, comes to what a run without a fault comes to.
 * @param faults the ways in which each write is hit
 * @returns how many of the writes were hit: a report that comes at another moment may be folded into another commit
 */
export async function killAtEveryWrite(
  bench: Workbench,
  stage: Stage,
  faults: Omit<Fault, "write" | "signal">[],
): Promise<number> {
  const cells = Array.from({ length: stage.writes }, (_, i) =>
    faults.map((fault): Fault => ({ ...fault, write: i + 1, signal: "SIGKILL" })),
  ).flat();
  const hit = new Set<number>();
  const work = async () => {
    for (let fault = cells.shift(); fault; fault = cells.shift()) {
      const killed = await killAt(bench, stage, fault);
      if (!killed.reached) continue;
      assertSame(stage, fault, killed);
      hit.add(fault.write);
    }
  };
  await Promise.all(Array.from({ length: CELLS_AT_ONCE }, work));
  return hit.size;
}

/** Servers of a test that run at once. Most of their time is waiting: for a disk, for spans of two seconds. */
const CELLS_AT_ONCE = 3;

function assertSame(stage: Stage, fault: Fault, { answered, repeated, facts }: Killed): void {
  const where = `${stage.operation.name}, killed at write ${fault.write}, ${fault.point}`;
  // What was answered before the end is answered again, word for word.
  if (answered !== undefined) expect(repeated, where).toEqual(answered);
  expect(withoutRun(repeated), where).toEqual(withoutRun(stage.answer));
  expect(facts, where).toEqual(stage.facts);
}

/** An answer without what differs from run to run. */
function withoutRun(answer: unknown): unknown {
  return { ...(answer as object), version: undefined, expiresAt: undefined };
}
