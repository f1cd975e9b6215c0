import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { desiredJob, probe } from "../../agents/host/decide/testing.ts";
import { JOIN_TOKEN, TestControlPlane } from "../../agents/host/testing/control-plane.ts";
import type { DesiredJob, SyncAnswer } from "../../src/wire/index.ts";
import { freePort } from "../support/ports.ts";
import { CLI, type Running, startProcess, until } from "../support/processes.ts";

/** A real agent among liars: its control plane, the routers and the engines that it runs. */

/** Far above the 90 MiB that it has after its start. */
const RSS_MIB_MAX = 400;

let folder: string;
let control: TestControlPlane;
let agent: Running;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "headrace-agent-"));
  control = new TestControlPlane();
  await control.listen();
});
afterEach(async () => {
  await agent.stop();
  await control.close();
  await rm(folder, { recursive: true, force: true });
});

function startAgent(server = control.url): Running {
  const flags = ["--server", server, "--name", "h1", "--address", "127.0.0.1", "--data-dir", join(folder, "agent")];
  flags.push("--job-user", "same", "--stop-jobs-on-exit");
  const env = { PATH: process.env.PATH, HOME: folder, HEADRACE_JOIN_TOKEN: JOIN_TOKEN };
  agent = startProcess([process.execPath, CLI, "agent", ...flags], env);
  return agent;
}

const ENGINE = fileURLToPath(new URL("../../agents/host/testing/engine.js", import.meta.url));
const HOSTILE_JOB = fileURLToPath(new URL("support/hostile-job.js", import.meta.url));

async function job(name: string, script: string, over: Partial<DesiredJob> = {}, env = {}): Promise<DesiredJob> {
  const port = await freePort();
  return desiredJob({
    job: `${name}.0`,
    replica: name,
    port,
    ports: [port],
    engine: null,
    probes: [probe({ intervalMs: 1_000 })],
    launch: {
      runtime: "process",
      image: null,
      shell: "/bin/sh",
      script: `exec '${process.execPath}' '${script}'`,
      env: { HEADRACE_PORT: String(port), ...env },
      workingDir: null,
      files: [],
      container: null,
    },
    ...over,
  });
}

const goodJob = () => job("good", ENGINE);

async function ask(replica: string, path: string): Promise<{ status: number; text: string }> {
  const open = { kind: "http", replica, method: "GET", path, headers: [] };
  const { head, body } = await control.link!.request(open, null);
  return { status: head.status, text: await new Response(body as BodyInit | null).text() };
}

async function isWell(): Promise<void> {
  expect(agent.child.exitCode, agent.output()).toBeNull();
  const status = await readFile(`/proc/${agent.pid}/status`, "utf8");
  expect(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024).toBeLessThan(RSS_MIB_MAX);
}

test("routers and engines that hang, never end, break off or talk rubbish do no harm to the jobs beside them", async () => {
  const liars = await Promise.all(
    ["hang", "endless", "cut", "rubbish-0", "rubbish-5", "rubbish-10"].flatMap((MODE) => [
      job(`router-${MODE}`, HOSTILE_JOB, { role: "router", router: "smg" }, { MODE }),
      job(`engine-${MODE}`, HOSTILE_JOB, { role: "prefill", engine: "sglang" }, { MODE }),
    ]),
  );
  startAgent();
  await control.heard(() => true);
  await control.want([await goodJob(), ...liars]);
  await control.state("good.0", "ready");
  for (const { replica } of liars) {
    // Between them those who talk rubbish say all they know; of the others each is asked again.
    const rounds = replica.includes("rubbish") ? 5 : 2;
    await until(
      async () => Number((await ask(replica, "/asked")).text) > rounds,
      () => `${replica} is not asked\n${agent.output()}`,
    );
  }
  expect(await ask("good", "/hello")).toMatchObject({ status: 200 });
  await control.want([...control.jobs, await job("late", ENGINE)]);
  await control.state("late.0", "ready");
  const last = control.reports.at(-1);
  expect(last?.jobs.find((one) => one.job === "good.0")).toMatchObject({ state: "ready", attempt: 1 });
  expect(last?.routers.flatMap((router) => router.listed)).toEqual([]);
  await isWell();
});

describe("a control plane that lies to its agent", () => {
  const lies: [name: string, lie: (answer: SyncAnswer, good: DesiredJob) => unknown][] = [
    ["another host's state", (answer) => ({ ...answer, desired: state({ host: "h2" }) })],
    ["another project's state", (answer) => ({ ...answer, desired: state({ project: "other" }) })],
    ["a state that ends before it", (answer) => ({ ...answer, version: 0, hash: "x", desired: state({ version: 0 }) })],
    ["no state, and another hash", (answer) => ({ ...answer, hash: "another", desired: null })],
    [
      "ten thousand jobs",
      (answer, good) => ({ ...answer, hash: "x", desired: state({ jobs: Array(10_000).fill(good) }) }),
    ],
    [
      "a job whose name is a path",
      (answer, good) => ({
        ...answer,
        hash: "x",
        desired: state({ jobs: [{ ...good, job: "../../../etc" }] }),
      }),
    ],
    [
      "a probe that waits for ever",
      (answer, good) => ({
        ...answer,
        hash: "x",
        desired: state({ jobs: [{ ...good, probes: [{ ...good.probes[0], timeoutMs: 1e15 }] }] }),
      }),
    ],
    ["twenty megabytes", (answer) => ({ ...answer, padding: "x".repeat(20 * 1024 * 1024) })],
    ["nothing that could be an answer", () => "rubbish"],
  ];
  const state = (over: object) => ({ project: "main", host: "h1", version: 99, jobs: [], ...over });

  test("is not believed, and what runs goes on", async () => {
    const good = await goodJob();
    startAgent();
    await control.heard(() => true);
    await control.want([good]);
    await control.state("good.0", "ready");
    for (const [name, lie] of lies) {
      let told = 0;
      control.answer = (answer) => {
        told += 1;
        return lie(answer, good) as SyncAnswer;
      };
      // The second report comes only after the first lie was taken in.
      await until(
        async () => (await control.link!.request({ kind: "wake" })).head.status === 204 && told > 1,
        () => `${name}: the agent reports no more\n${agent.output()}`,
      );
      control.answer = null;
      await control.link!.request({ kind: "wake" });
      expect(await ask("good", "/hello"), name).toMatchObject({ status: 200 });
      const last = await control.heard((report) => report.jobs.length > 0);
      expect(last.jobs, name).toMatchObject([{ job: "good.0", state: "ready", attempt: 1 }]);
    }
    await isWell();
    // What a liar sends does not fill the log.
    expect(
      Math.max(
        ...agent
          .output()
          .split("\n")
          .map((line) => line.length),
      ),
    ).toBeLessThan(5_000);
  });

  test("by an answer to the join that never ends is left", async () => {
    const server = createServer((_request, response) => {
      const pour = () => {
        while (response.write("x".repeat(64 * 1024)));
      };
      response.on("drain", pour);
      pour();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    startAgent(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect(await agent.ended).toBe(1);
    expect(agent.output()).toMatch(/answered, but not as a Headrace server/);
    server.close();
    server.closeAllConnections();
  });
});
