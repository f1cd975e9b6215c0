import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TOOLCHAIN } from "../../scripts/bootstrap.js";
import { ensureBundle } from "../../scripts/bundle.js";
import { freePort } from "../support/ports.ts";
import { type Running, runProcess, startProcess, until } from "../support/processes.ts";

// One version of skew: the programs of the release that was recorded last (test/fixtures/release) beside those of now.
// When a release is made, its agent.cjs, supervisor.cjs and headrace.cjs take the place of those there, compressed with
// brotli, and its wire is recorded (test/unit/wire.test.ts).

const RELEASES = join(import.meta.dirname, "../fixtures/release");
const release = readdirSync(RELEASES).at(-1) as string;

/** As deep as a bundle of now, since a server finds the checkout's tables and packages so. */
const unpacked = join(TOOLCHAIN, `release-of-test-${process.pid}`, release);
let now: string;
let folder: string;

beforeAll(async () => {
  mkdirSync(unpacked, { recursive: true });
  for (const file of readdirSync(join(RELEASES, release))) {
    const program = brotliDecompressSync(readFileSync(join(RELEASES, release, file)));
    writeFileSync(join(unpacked, file.replace(/\.br$/, "")), program);
  }
  now = (await ensureBundle(process.execPath)) as string;
  folder = mkdtempSync(join(tmpdir(), "headrace-skew-"));
});
afterAll(() => {
  rmSync(join(unpacked, ".."), { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
});

const SERVICE = `type: service
name: hello
port: 8000
commands:
  - exec ${process.execPath} -e 'require("node:http").createServer((_, answer) => answer.end("hello")).listen(process.env.HEADRACE_PORT)'
resources: {cpu: 1.., memory: 1MB.., disk: 1MB..}
auth: false
`;

test.each([
  { agentOf: "the last release", serverOf: "now", agent: () => unpacked, server: () => now },
  { agentOf: "now", serverOf: "the last release", agent: () => now, server: () => unpacked },
])("an agent of $agentOf runs a service for a server of $serverOf, which answers", async ({ agent, server }) => {
  const home = mkdtempSync(join(folder, "home-"));
  const env: NodeJS.ProcessEnv = { ...process.env, HOME: home, XDG_CONFIG_HOME: join(home, "config") };
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  Object.assign(env, { HEADRACE_SERVER: url, XDG_DATA_HOME: join(home, "share") });
  const node = process.execPath;
  const headrace = (...args: string[]) => runProcess([node, join(server(), "headrace.cjs"), ...args], env);
  const started: Running[] = [];
  try {
    const serving = startProcess([node, join(server(), "headrace.cjs"), "server", "--port", String(port)], env);
    started.push(serving);
    await until(() => serving.output().includes("serves at"), serving.output);
    const made = await headrace("host", "join", "--json", "--name", "gpu-1");
    const { token } = JSON.parse(made.stdout) as { token: string };
    const flags = ["--server", url, "--data-dir", join(home, "agent"), "--job-user", "same", "--stop-jobs-on-exit"];
    const joined = { ...env, HEADRACE_JOIN_TOKEN: token };
    const host = startProcess([node, join(agent(), "agent.cjs"), ...flags, "--name", "gpu-1"], joined);
    started.push(host);
    writeFileSync(join(home, "service.yml"), SERVICE);
    await until(async () => (await headrace("host", "list")).stdout.includes("online"), host.output);
    const applied = await headrace("apply", "-f", join(home, "service.yml"), "-y");
    expect(applied.code, `${applied.output}\n${host.output()}`).toBe(0);
    // Without a probe it counts as ready as soon as it runs.
    const ask = async () => (await fetch(`${url}/proxy/services/main/hello/`)).text();
    await until(async () => (await ask()) === "hello", host.output);
  } finally {
    for (const one of started.reverse()) await one.stop();
  }
});
