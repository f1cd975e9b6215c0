import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { LocalCluster } from "../test/support/local-cluster.ts";
import { Churn } from "./soak/churn.ts";
import type { Counts } from "./soak/traffic.ts";
import { trends } from "./soak/verdict.ts";
import { summed, type Vitals, Watch } from "./soak/vitals.ts";
import type { BenchResult, Column } from "./support/report.ts";

const MINUTES_DEFAULT = 10;
const MINUTE_MS = 60_000;
/** Samples of a minute are summed up to one row. */
const SAMPLE_MS = 5_000;

type Row = Vitals & Counts & { minute: number };

const COLUMNS: Column[] = [
  { key: "minute", title: "minute" },
  { key: "serverMb", title: "server", unit: "MB" },
  { key: "serverFiles", title: "files" },
  { key: "agentMb", title: "agent", unit: "MB" },
  { key: "agentFiles", title: "files" },
  { key: "databaseKb", title: "database", unit: "KB" },
  { key: "walKb", title: "WAL", unit: "KB" },
  { key: "journalRows", title: "journal" },
  { key: "entities", title: "entities" },
  { key: "ok", title: "ok" },
  { key: "failed", title: "failed" },
  { key: "cut", title: "cut" },
  { key: "unexcused", title: "unexcused" },
];

/**
 * A control plane, an agent and two services under steady traffic and churn: applied, scaled, killed, stopped, deleted,
 * again and again. Whatever would grow with time shows when the thirds of the run are compared.
 */
export default async function bench({ minutes = MINUTES_DEFAULT }: { minutes?: number }): Promise<BenchResult> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  await using cluster = await LocalCluster.start();
  const churn = new Churn(cluster);
  process.stderr.write("fills the journal and starts the first service\n");
  await churn.prepare();
  const watch = new Watch(join(cluster.folder, "server"), () => ({
    server: cluster.server?.pid ?? 0,
    agent: cluster.agent?.pid ?? 0,
  }));
  const over = AbortSignal.any([stop.signal, AbortSignal.timeout(minutes * MINUTE_MS)]);
  const changing = (async () => {
    while (!over.aborted) await churn.round(over);
  })().catch((error) => {
    stop.abort();
    throw error;
  });
  const rows: Row[] = [];
  while (!over.aborted) {
    const row: Row = { minute: rows.length + 1, ...(await minuteOf(watch, over)), ...counted(churn) };
    rows.push(row);
    process.stderr.write(`${JSON.stringify(row)}\n`);
  }
  await changing;
  churn.end();
  watch.close();
  return result(rows, churn);
}

async function minuteOf(watch: Watch, over: AbortSignal): Promise<Vitals> {
  const samples: Vitals[] = [];
  for (let ms = 0; ms < MINUTE_MS && !over.aborted; ms += SAMPLE_MS) {
    await delay(SAMPLE_MS, undefined, { signal: over }).catch(() => {});
    samples.push(await watch.look());
  }
  return summed(samples);
}

function counted(churn: Churn): Counts {
  const [one, other] = Object.values(churn.traffic).map((traffic) => traffic.take()) as [Counts, Counts];
  const sum = (key: keyof Counts) => one[key] + other[key];
  return { ok: sum("ok"), failed: sum("failed"), cut: sum("cut"), unexcused: sum("unexcused") };
}

function result(rows: Row[], churn: Churn): BenchResult {
  const titles = new Map(COLUMNS.map(({ key, title, unit }) => [key, unit ? `${title}, ${unit}` : title]));
  const thirds = Object.entries(trends(rows)).map(([key, { first, middle, last, grows }]) => {
    const of = key.endsWith("Files") ? `open files of the ${key.slice(0, -"Files".length)}` : titles.get(key);
    return { what: of ?? key, first, middle, last, verdict: grows ? "grows" : "flat" };
  });
  const complaints = Object.values(churn.traffic).flatMap((traffic) => traffic.complaints);
  const unexcused = rows.reduce((sum, row) => sum + row.unexcused, 0);
  if (unexcused > 0 || thirds.some(({ verdict }) => verdict === "grows")) process.exitCode = 1;
  return {
    about:
      `A control plane with a full journal and an agent, ${rows.length} minutes of steady traffic with ${churn.rounds} rounds ` +
      "of churn. Memory is the least resident of each minute. Unexcused: failed or cut while no process was being killed.",
    tables: [
      { title: "Each minute", columns: COLUMNS, rows: rows.map((row) => ({ ...row })) },
      {
        title: "Means of the thirds",
        columns: ["what", "first", "middle", "last", "verdict"].map((key) => ({ key, title: key })),
        rows: thirds,
      },
      {
        title: "Unexcused failures, the first of them",
        columns: [{ key: "what", title: "what" }],
        rows: complaints.map((what) => ({ what })),
      },
    ],
  };
}
