import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Entity } from "../src/core/state.ts";
import { openDatabase } from "../src/node/database.ts";
import { createStore } from "../src/store/libsql.ts";
import type { Store } from "../src/store/types.ts";
import { commitOf, replica } from "../test/contract/store-samples.ts";
import { type BenchResult, type Cell, quantile } from "./support/report.ts";

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
export default async function bench(): Promise<BenchResult> {
  const rows: Record<string, Cell>[] = [];
  for (const synchronous of ["full", "normal"]) {
    await inNewStore(synchronous, async (store) => {
      let version = 1;
      for (const { puts, runs } of COMMIT_SIZES) {
        rows.push(
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
    rows.push(await measure(`load of ${LOADED_ENTITIES} entities`, LOAD_RUNS, () => store.load("main")));
  });
  return {
    about: "A commit and a load on the embedded database, on the disk of the temporary folder.",
    tables: [
      {
        title: "Operations of the store",
        columns: [
          { key: "what", title: "what" },
          { key: "p50", title: "p50", unit: "ms" },
          { key: "p99", title: "p99", unit: "ms" },
          { key: "runs", title: "runs" },
        ],
        rows,
      },
    ],
  };
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

async function measure(what: string, runs: number, run: () => Promise<unknown>): Promise<Record<string, Cell>> {
  const took: number[] = [];
  for (let n = -WARM_UP_RUNS; n < runs; n++) {
    const start = performance.now();
    await run();
    if (n >= 0) took.push(performance.now() - start);
  }
  took.sort((a, b) => a - b);
  return { what, p50: quantile(took, 0.5), p99: quantile(took, 0.99), runs };
}

function replicas(count: number): Entity[] {
  return Array.from({ length: count }, (_, serial) => replica(serial));
}
