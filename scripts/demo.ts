// The whole of Headrace on this machine: a control plane, one host, the real router, simulated engines, one request.
//
//   npm run demo             stays up until Ctrl-C
//   npm run demo -- --once   ends after the request; exit code 0 when all of it worked
//   npm run demo -- --edge   with the control plane as a Worker, on workerd, and its state on a libSQL server
//   npm run demo -- --port N instead of 3000

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { parseArgs } from "node:util";
import { createParser } from "eventsource-parser";
import { createClient } from "../src/api/client.ts";
import { type Io, processIo } from "../src/cli/io.ts";
import { interruption } from "../src/cli/local-server.ts";
import { main as headrace } from "../src/cli/main.ts";
import { StartError } from "../src/node/start-error.ts";
import { parseConfig } from "../src/spec/index.ts";
import { ROOT } from "./bootstrap.js";
import { DemoError, type DemoPlane } from "./demo/control-plane.ts";
import { startOnWorkerd } from "./demo/edge-plane.ts";
import { startOnNode } from "./demo/node-plane.ts";
import { ensurePython } from "./python.ts";
import { SetupError } from "./python-interpreter.ts";

const EXAMPLE = "examples/prefill-decode.yml";
const QUESTION = "Why is a channel that brings water to a wheel called a headrace?";
/** Router and engines start in seconds; a slow disk may take longer the first time. */
const READY_WITHIN = "3m";
/** The agent stops its jobs before it ends: the router alone takes five seconds. */
const STOP_WITHIN_MS = 40_000;

interface Demo {
  folder: string;
  plane: DemoPlane | null;
  agent: ChildProcess | null;
}

const { values: flags } = parseArgs({
  options: {
    once: { type: "boolean", default: false },
    edge: { type: "boolean", default: false },
    port: { type: "string", default: "3000" },
  },
});
process.exitCode = await run(Number(flags.port), flags);

async function run(port: number, { once, edge }: { once: boolean; edge: boolean }): Promise<number> {
  const io = processIo();
  const demo: Demo = { folder: await mkdtemp(join(tmpdir(), "headrace-demo-")), plane: null, agent: null };
  try {
    say("1/4", "the Python environment with the real router (smg) from PyPI");
    const { bin } = await ensurePython();
    const { url, token } = edge ? await startEdge(demo, port) : await startNode(demo, port);
    await startHost(demo, { url, token, bin });
    const started = performance.now();
    await apply(demo, io, url, token);
    const { service, model } = await askQuestion(url, token, started);
    if (!once) {
      showWhatToTry(url, token, service, model);
      await interruption(io);
    }
    return io.interrupted.aborted && once ? 130 : 0;
  } catch (error) {
    if (io.interrupted.aborted) return 130;
    const isForPeople = error instanceof DemoError || error instanceof StartError || error instanceof SetupError;
    process.stderr.write(`\n${isForPeople ? error.message : (error as Error).stack}\n`);
    return 1;
  } finally {
    await cleanUp(demo);
  }
}

async function startNode(demo: Demo, port: number): Promise<DemoPlane> {
  say("2/4", `a control plane on 127.0.0.1:${port}, its state in an embedded libSQL file`);
  demo.plane = await startOnNode(demo.folder, port);
  return demo.plane;
}

async function startEdge(demo: Demo, port: number): Promise<DemoPlane> {
  say("2/4", `a control plane on 127.0.0.1:${port}: the Worker and its Durable Objects, on workerd`);
  const plane = await startOnWorkerd(demo.folder, port);
  demo.plane = plane;
  say("   ", `its state on a libSQL server at ${plane.databaseUrl}, its cron trigger rung every minute`);
  return plane;
}

/** The agent of this machine: it dials the control plane, and nothing dials it. */
async function startHost(demo: Demo, { url, token, bin }: { url: string; token: string; bin: string }): Promise<void> {
  say("3/4", "a host agent, which only dials out");
  const client = createClient({ server: url, token, project: "main" });
  const { token: joinToken } = await client.createToken({ kind: "join", name: "demo" });
  const args = [
    "agent",
    "--server",
    url,
    "--name",
    "this-machine",
    "--address",
    "127.0.0.1",
    "--data-dir",
    join(demo.folder, "host"),
    "--job-user",
    "same",
    "--stop-jobs-on-exit",
  ];
  // In a group of its own, so that Ctrl-C reaches the demo alone, which ends things in their order.
  const child = spawn(process.execPath, [join(ROOT, "bin/headrace.js"), ...args], {
    env: { ...process.env, PATH: bin + delimiter + process.env.PATH, HEADRACE_JOIN_TOKEN: joinToken },
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
  });
  demo.agent = child;
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4_000);
  });
  const ended = new Promise<never>((_, reject) => {
    child.once("exit", (code) => reject(new DemoError(`the agent ended with exit code ${code}:\n${said}`)));
  });
  ended.catch(() => {
    // It ends in the clean-up too; here only an end before it is connected matters.
  });
  const connected = until(async () => (await client.hosts()).some((host) => host.online));
  await Promise.race([connected, ended]);
}

async function apply(demo: Demo, io: Io, url: string, token: string): Promise<void> {
  say("4/4", `headrace apply -f ${EXAMPLE}\n`);
  const env = { ...io.env, HEADRACE_SERVER: url, HEADRACE_TOKEN: token, XDG_CONFIG_HOME: join(demo.folder, "config") };
  const code = await headrace(["apply", "-f", join(ROOT, EXAMPLE), "-y", "--timeout", READY_WITHIN], { ...io, env });
  if (code !== 0) throw new DemoError(`apply ended with exit code ${code}`);
}

/** Sends one streamed chat completion and prints the tokens as they come. @returns what was asked */
async function askQuestion(url: string, token: string, started: number): Promise<{ service: string; model: string }> {
  const parsed = parseConfig(await readFile(join(ROOT, EXAMPLE), "utf8"), EXAMPLE);
  if (!parsed.ok || parsed.type !== "service" || !parsed.spec.model)
    throw new DemoError(`${EXAMPLE} is not a service with a model`);
  const { name, model } = parsed.spec;
  process.stdout.write(`\n> ${QUESTION}\n\n`);
  const response = await fetch(`${url}/proxy/services/main/${name}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({
      model: model.name,
      stream: true,
      max_tokens: 60,
      messages: [{ role: "user", content: QUESTION }],
    }),
  });
  const firstByteS = ((performance.now() - started) / 1_000).toFixed(1);
  if (response.status !== 200)
    throw new DemoError(`the request was answered ${response.status}: ${await response.text()}`);
  const tokens = await printTokens(response);
  process.stdout.write(
    `\n\n${tokens} pieces through proxy, link, router, prefill and decode; first 200 ${firstByteS} s after apply.\n`,
  );
  process.stdout.write("The router is the real one; the engines are simulated, so the words mean nothing.\n");
  return { service: name, model: model.name };
}

async function printTokens(response: Response): Promise<number> {
  let tokens = 0;
  let failure: string | null = null;
  const parser = createParser({
    onEvent({ data }) {
      if (data === "[DONE]") return;
      const event = JSON.parse(data) as { error?: unknown; choices?: { delta?: { content?: string } }[] };
      if (event.error) failure = JSON.stringify(event.error);
      const text = event.choices?.[0]?.delta?.content;
      if (!text) return;
      tokens += 1;
      process.stdout.write(text);
    },
  });
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }));
  if (failure) throw new DemoError(`the stream broke: ${failure}`);
  if (tokens === 0) throw new DemoError("the stream held no tokens");
  return tokens;
}

function showWhatToTry(url: string, token: string, service: string, model: string): void {
  process.stdout.write(`
It stays up until Ctrl-C. In another terminal, in this folder:

  export HEADRACE_SERVER=${url} HEADRACE_TOKEN=${token}

  curl -N ${url}/proxy/services/main/${service}/v1/chat/completions \\
    -H "Authorization: Bearer $HEADRACE_TOKEN" -H "Content-Type: application/json" \\
    -d '{"model": "${model}", "stream": true, "messages": [{"role": "user", "content": "Hello!"}]}'

  npx headrace ps ${service}          # the groups and replicas
  npx headrace logs ${service} -f     # the router and the engines
  npx headrace events -f                   # what happens, as it happens
  pkill -9 -f 'disaggregation-mode decode' # kill the decodes: they are back in seconds
  npx headrace stop ${service}        # no running stream is cut
`);
}

async function cleanUp(demo: Demo): Promise<void> {
  const { agent, plane, folder } = demo;
  if (agent && agent.exitCode === null && agent.signalCode === null) {
    process.stdout.write("\nStopping what was started ...\n");
    const ended = new Promise((resolve) => agent.once("exit", resolve));
    agent.kill("SIGTERM");
    const timer = setTimeout(() => agent.kill("SIGKILL"), STOP_WITHIN_MS);
    await ended;
    clearTimeout(timer);
  }
  await plane?.close();
  await rm(folder, { recursive: true, force: true });
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 50));
}

function say(step: string, text: string): void {
  process.stdout.write(`[${step}] ${text}\n`);
}
