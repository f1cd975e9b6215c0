import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "../scripts/bootstrap.js";
import { ensurePython } from "../scripts/python.ts";
import { routerAdapter } from "../src/adapters/index.ts";
import { chat } from "../test/support/chat.ts";
import { LocalCluster } from "../test/support/local-cluster.ts";
import { freePort } from "../test/support/ports.ts";
import { type Running, startProcess, until } from "../test/support/processes.ts";
import { type BenchResult, spreadOf } from "./support/report.ts";

const EXAMPLE = join(ROOT, "examples/prefill-decode.yml");
const SERVICE = "prefill-decode";
const MODEL = "Qwen/Qwen3-8B";
/** Each round starts a control plane, an agent, a router and three engines, and the last four once more by hand. */
const ROUNDS = 10;
/** DESIGN's budget for what is Headrace's own. */
const BUDGET_S = 2;

/** Seconds. */
interface Alone {
  /** From the start of the processes to the first healthy answer of the slowest engine. */
  engine: number;
  router: number;
  /** From the first registration of three running workers to a ready router. */
  registration: number;
}

/** Seconds. */
interface Apply {
  total: number;
  toStart: number;
  toReady: number;
  toRouter: number;
  toAnswer: number;
}

/**
 * From an apply to the first 200 through the proxy, with what the router and the engines take by themselves, started by
 * hand in the same round.
 */
export default async function bench(): Promise<BenchResult> {
  const applies: Apply[] = [];
  const alone: Alone[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    process.stderr.write(`round ${round} of ${ROUNDS}\n`);
    alone.push(await measureAlone());
    applies.push(await measureApply());
  }
  const own = applies.map(({ total }, round) => total - alone[round]!.engine - alone[round]!.registration);
  const rows: [what: string, seconds: number[]][] = [
    ["apply answered -> jobs started", applies.map(({ toStart }) => toStart)],
    ["jobs started -> all workers seen ready", applies.map(({ toReady }) => toReady)],
    ["  an engine alone, to its first healthy answer", alone.map(({ engine }) => engine)],
    ["workers ready -> router seen ready", applies.map(({ toRouter }) => toRouter)],
    ["  the router alone, three registrations to readiness", alone.map(({ registration }) => registration)],
    ["router ready -> first 200", applies.map(({ toAnswer }) => toAnswer)],
    ["total", applies.map(({ total }) => total)],
    ["Headrace's own part: total less engine and registration", own],
    ["a router alone, to its first healthy answer (beside the engines)", alone.map(({ router }) => router)],
  ];
  return {
    about: `Apply of ${SERVICE} to the first 200 through the proxy. Headrace's own part may take ${BUDGET_S} s.`,
    tables: [
      {
        title: `Median of ${ROUNDS} (fastest - slowest)`,
        columns: [
          { key: "what", title: "what" },
          { key: "time", title: "time", unit: "s" },
        ],
        rows: rows.map(([what, seconds]) => ({ what, time: spreadOf(seconds) })),
      },
    ],
  };
}

async function measureApply(): Promise<Apply> {
  await using cluster = await LocalCluster.start();
  const client = cluster.client();
  const config = await readFile(EXAMPLE, "utf8");
  const began = Date.now();
  await client.apply({ config, file: "prefill-decode.yml", env: {} });
  const ask = () => chat(cluster.serviceUrl(SERVICE), cluster.token, { model: MODEL, max_tokens: 1 });
  while ((await ask()).status !== 200) await new Promise((resolve) => setTimeout(resolve, 20));
  const answered = Date.now();
  const { commits } = await client.journal({ after: -200, limit: 200 });
  const readyAt = (isRouter: boolean) =>
    Math.max(
      ...commits
        .filter(({ events }) =>
          events.some((event) => event.type === "replica.ready" && (event.group === "router") === isRouter),
        )
        .map((commit) => commit.at),
    );
  const started =
    cluster.agent
      ?.output()
      .split("\n")
      .filter((line) => line.includes('"starting a job"')) ?? [];
  const startedAt = Math.max(...started.map((line) => Date.parse((JSON.parse(line) as { at: string }).at)));
  const [workers, router] = [readyAt(false), readyAt(true)];
  return {
    total: (answered - began) / 1_000,
    toStart: (startedAt - began) / 1_000,
    toReady: (workers - startedAt) / 1_000,
    toRouter: (router - workers) / 1_000,
    toAnswer: (answered - router) / 1_000,
  };
}

/** The same processes by hand, all four at once as in the service. */
async function measureAlone(): Promise<Alone> {
  const { bin } = await ensurePython();
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
  const [routerPort, metrics, bootstrap] = [await freePort(), await freePort(), await freePort()];
  const workers = [
    { role: "prefill" as const, port: await freePort(), bootstrapPort: bootstrap },
    { role: "decode" as const, port: await freePort(), bootstrapPort: null },
    { role: "decode" as const, port: await freePort(), bootstrapPort: null },
  ];
  const running: Running[] = [];
  const began = performance.now();
  const healthy = async (port: number) => {
    await until(
      async () => (await ask(port, "/health")) === 200,
      () => running.map((each) => each.output()).join("\n"),
    );
    return (performance.now() - began) / 1_000;
  };
  try {
    const smg = ["smg", "launch", "--pd-disaggregation", "--policy", "round_robin", "--host", "127.0.0.1"];
    running.push(startProcess([...smg, "--port", `${routerPort}`, "--prometheus-port", `${metrics}`], env));
    for (const { role, port } of workers) {
      const launch = ["python3", "-m", "sglang.launch_server", "--model-path", MODEL, "--disaggregation-mode", role];
      const ports = ["--port", `${port}`, "--disaggregation-bootstrap-port", `${bootstrap}`];
      running.push(startProcess([...launch, ...ports], env));
    }
    const [router, ...engines] = await Promise.all([healthy(routerPort), ...workers.map(({ port }) => healthy(port))]);
    const registered = performance.now();
    for (const { role, port, bootstrapPort } of workers) {
      const question = routerAdapter("smg")?.add({ url: `http://127.0.0.1:${port}`, role, bootstrapPort, labels: {} });
      if (!question) throw new Error("there is no adapter for SMG");
      await fetch(`http://127.0.0.1:${routerPort}${question.path}`, {
        method: question.method,
        body: question.body ?? null,
        headers: { "content-type": "application/json" },
      });
    }
    await until(
      async () => (await ask(routerPort, "/readiness")) === 200,
      () => running[0]?.output() ?? "",
    );
    return { engine: Math.max(...engines), router, registration: (performance.now() - registered) / 1_000 };
  } finally {
    await Promise.all(running.map((each) => each.stop("SIGKILL")));
  }
}

/** @returns the status, 0 when nothing answered */
async function ask(port: number, path: string): Promise<number> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 0;
  }
}
