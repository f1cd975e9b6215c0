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
import { runProcess, startProcess } from "../../test/support/processes.ts";
import { type BenchTable, significant, spreadOf } from "../support/report.ts";

const RUNS = 5;
const REPLICAS = 1_000;
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
        { what: "start of workerd -> first answer", value: spreadOf(await coldStarts(folder)), unit: "ms" },
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

/** Milliseconds from the start of the process to its first answer, which needs no database. */
async function coldStarts(folder: string): Promise<number[]> {
  const times: number[] = [];
  const [port, cronPort] = [await freePort(), await freePort()];
  const command = await prepareWorkerd(join(folder, "cold"), {
    port,
    cronPort,
    databaseUrl: "http://127.0.0.1:9",
    version: "1",
  });
  for (let run = 0; run < RUNS; run += 1) {
    process.stderr.write(`cold start ${run + 1} of ${RUNS}\n`);
    const began = performance.now();
    const server = startProcess(command, { PATH: process.env.PATH, HEADRACE_KEY: "", HEADRACE_DATABASE_TOKEN: "" });
    try {
      await answered(`http://127.0.0.1:${port}/health`);
      times.push(performance.now() - began);
    } finally {
      await server.stop("SIGKILL");
    }
  }
  return times;
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
  for (let run = 0; run < RUNS; run += 1) {
    await plane.stop();
    await plane.run();
    const client = createClient({ server: plane.url, token: plane.token, project: FIRST_PROJECT });
    const began = performance.now();
    await client.services();
    times.push(performance.now() - began);
  }
  return times;
}
