import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Entity } from "../src/core/state.ts";
import { openDatabase } from "../src/node/database.ts";
import { createStore } from "../src/store/libsql.ts";
import type { Store } from "../src/store/types.ts";
import { commitOf, replica } from "../test/contract/store-samples.ts";

/** Milliseconds. */
interface Figure {
  what: string;
  p50: number;
  p99: number;
  runs: number;
}

/** Entities per commit, and how often each is measured: enough for a p99 without wearing the disk. */
const COMMIT_SIZES = [
  { puts: 1, runs: 500 },
  { puts: 10, runs: 300 },
  { puts: 1_000, runs: 30 },
];
const LOADED_ENTITIES = 10_000;
const LOAD_RUNS = 10;
/** First runs are not counted: they compile. */
const WARM_UP_RUNS = 5;

/**
 * What a commit and a load cost on the embedded database, on the disk of the temporary folder. FULL is what the server
 * uses; NORMAL is measured beside it to show what the sync of each commit costs.
 */
export default async function benchStore({ json }: { json: boolean }): Promise<void> {
  const figures: Figure[] = [];
  for (const synchronous of ["full", "normal"]) {
    await inNewStore(synchronous, async (store) => {
      let version = 1;
      for (const { puts, runs } of COMMIT_SIZES) {
        figures.push(
          await measure(`commit of ${puts} puts, synchronous = ${synchronous}`, runs, async () => {
            version += 1;
            await store.commit(commitOf("main", version, `c${version}`, { puts: replicas(puts) }));
          }),
        );
      }
    });
  }
  await inNewStore("full", async (store) => {
    await store.commit(commitOf("main", 2, "c2", { puts: replicas(LOADED_ENTITIES) }));
    figures.push(await measure(`load of ${LOADED_ENTITIES} entities`, LOAD_RUNS, () => store.load("main")));
  });
  print(figures, json);
}

async function inNewStore(synchronous: string, run: (store: Store) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "headrace-bench-"));
  try {
    const client = await openDatabase(folder);
    await client.execute(`PRAGMA synchronous = ${synchronous}`);
    const store = createStore(client);
    await store.createProject("main", 0, []);
    await run(store).finally(() => store.close());
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function measure(what: string, runs: number, run: () => Promise<unknown>): Promise<Figure> {
  const took: number[] = [];
  for (let n = -WARM_UP_RUNS; n < runs; n++) {
    const start = performance.now();
    await run();
    if (n >= 0) took.push(performance.now() - start);
  }
  took.sort((a, b) => a - b);
  const at = (share: number) => Number(took[Math.min(took.length - 1, Math.floor(took.length * share))]!.toFixed(2));
  return { what, p50: at(0.5), p99: at(0.99), runs };
}

function replicas(count: number): Entity[] {
  return Array.from({ length: count }, (_, serial) => replica(serial));
}

function print(figures: Figure[], json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify({ bench: "store", unit: "ms", figures })}\n`);
    return;
  }
  const width = Math.max(...figures.map(({ what }) => what.length));
  process.stdout.write(`${"".padEnd(width)}  ${"p50 ms".padStart(8)}  ${"p99 ms".padStart(8)}\n`);
  for (const { what, p50, p99 } of figures) {
    process.stdout.write(`${what.padEnd(width)}  ${p50.toFixed(2).padStart(8)}  ${p99.toFixed(2).padStart(8)}\n`);
  }
}
