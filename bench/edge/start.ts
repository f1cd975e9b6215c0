import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { ROOT } from "../../scripts/bootstrap.js";
import { bundleWorker } from "../../scripts/workerd/bundle.ts";
import { prepareWorkerd } from "../../scripts/workerd/workerd.ts";
import { createClient } from "../../src/api/client.ts";
import { FIRST_PROJECT } from "../../src/node/first-start.ts";
import { EdgePlane } from "../../test/support/edge/edge-plane.ts";
import { filledProject } from "../../test/support/edge/filled-project.ts";
import { freePort } from "../../test/support/ports.ts";
import { cpuMsOfThreads } from "../../test/support/process-figures.ts";
import { runProcess, startProcess } from "../../test/support/processes.ts";
import { type BenchTable, significant, spreadOf } from "../support/report.ts";

const COLD_STARTS = 15;
const COLD_LOADS = 5;
const REPLICAS = 1_000;
const EMPTY_WORKER = join(ROOT, "bench/edge/empty-worker.ts");
const LOOK_EVERY_MS = 2;
const ANSWER_MS_MAX = 20_000;

/** How large the Worker is, and how soon it answers when nothing of it is there yet. */
export async function measureStart(): Promise<BenchTable> {
  const folder = await mkdtemp(join(tmpdir(), "headrace-start-"));
  try {
    const bundle = join(folder, "size.js");
    await bundleWorker(bundle);
    const bytes = readFileSync(bundle);
    const kib = (size: number) => significant(size / 1_024);
    const deployed = await deployedSizes(folder);
    const { worker, empty } = await coldStarts(folder);
    return {
      title: "Size and start",
      columns: [
        { key: "what", title: "what" },
        { key: "value", title: "figure" },
        { key: "unit", title: "unit" },
      ],
      rows: [
        { what: "Worker, minified", value: kib(bytes.length), unit: "KiB" },
        { what: "Worker, minified and gzipped", value: kib(gzipSync(bytes).length), unit: "KiB" },
        { what: "Worker as `wrangler deploy --dry-run` has it", value: deployed.whole, unit: "KiB" },
        { what: "of it gzipped", value: deployed.gzipped, unit: "KiB" },
        { what: "start of workerd -> first answer", value: spreadOf(worker.ms), unit: "ms" },
        { what: "processor time of workerd until then", value: spreadOf(worker.cpuMs), unit: "ms" },
        { what: "both with a Worker that only says ok: first answer", value: spreadOf(empty.ms), unit: "ms" },
        { what: "processor time until then", value: spreadOf(empty.cpuMs), unit: "ms" },
        {
          what: `object is loaded with a project of ${REPLICAS} replicas -> its first answer`,
          value: spreadOf(await coldLoads()),
          unit: "ms",
        },
      ],
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What wrangler would upload, in KiB: it says so without an account. */
async function deployedSizes(folder: string): Promise<{ whole: number; gzipped: number }> {
  const wrangler = join(ROOT, "node_modules/wrangler/bin/wrangler.js");
  const args = ["deploy", "--dry-run", "--minify", "--outdir", join(folder, "wrangler")];
  const env = { PATH: process.env.PATH, HOME: folder, WRANGLER_SEND_METRICS: "false", CI: "1" };
  const { output } = await runProcess(
    [process.execPath, wrangler, ...args, "--config", join(ROOT, "wrangler.jsonc")],
    env,
  );
  const sizes = /Total Upload: ([\d.]+) KiB \/ gzip: ([\d.]+) KiB/.exec(output);
  if (!sizes) throw new Error(`wrangler says no sizes: ${output}`);
  return { whole: Number(sizes[1]), gzipped: Number(sizes[2]) };
}

/** What starts came to, up to the first answer, which needs no database. */
interface Starts {
  ms: number[];
  cpuMs: number[];
}

/** Starts of the Worker, and in turns with them of one that is empty. */
async function coldStarts(folder: string): Promise<Record<"worker" | "empty", Starts>> {
  const startWorker = await starter(join(folder, "worker"));
  const startEmpty = await starter(join(folder, "empty"), EMPTY_WORKER);
  const starts = { worker: { ms: [], cpuMs: [] }, empty: { ms: [], cpuMs: [] } };
  for (let run = 0; run < COLD_STARTS; run += 1) {
    process.stderr.write(`cold start ${run + 1} of ${COLD_STARTS}\n`);
    await startWorker(starts.worker);
    await startEmpty(starts.empty);
  }
  return starts;
}

/** @param entry of another Worker than the one that is deployed @returns what starts it once, and adds what that took */
async function starter(folder: string, entry?: string): Promise<(starts: Starts) => Promise<void>> {
  const [port, cronPort] = [await freePort(), await freePort()];
  const place = { port, cronPort, databaseUrl: "http://127.0.0.1:9", version: "1" };
  const command = await prepareWorkerd(folder, place, entry);
  return async ({ ms, cpuMs }) => {
    const began = performance.now();
    const server = startProcess(command, { PATH: process.env.PATH, HEADRACE_KEY: "", HEADRACE_DATABASE_TOKEN: "" });
    try {
      await answered(`http://127.0.0.1:${port}/health`);
      ms.push(performance.now() - began);
      cpuMs.push(cpuMsOfThreads(server.pid));
    } finally {
      await server.stop("SIGKILL");
    }
  };
}

async function answered(url: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < ANSWER_MS_MAX; waitedMs += LOOK_EVERY_MS) {
    const answer = await fetch(url).catch(() => null);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  throw new Error(`nothing answers at ${url}`);
}

/** Milliseconds that a list of services takes where the object of the project has just been made. */
async function coldLoads(): Promise<number[]> {
  const filled = filledProject({ replicas: REPLICAS, hosts: REPLICAS / 10 });
  await using plane = await EdgePlane.start((store) => store.commit(filled));
  const times: number[] = [];
  for (let run = 0; run < COLD_LOADS; run += 1) {
    await plane.stop();
    await plane.run();
    const client = createClient({ server: plane.url, token: plane.token, project: FIRST_PROJECT });
    const began = performance.now();
    await client.services();
    times.push(performance.now() - began);
  }
  return times;
}
