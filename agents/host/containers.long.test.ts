import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { DesiredJob } from "../../src/wire/index.ts";
import { dockerLaunch, importImage, SMALL_IMAGE } from "../../test/contract/docker-runtime/launch.ts";
import { Dockerd } from "../../test/support/dockerd.ts";
import { freePort } from "../../test/support/ports.ts";
import type { RunningAgent } from "./agent.ts";
import { desiredJob, probe } from "./decide/testing.ts";
import { runAgent } from "./main.ts";
import { JOIN_TOKEN, TestControlPlane } from "./testing/control-plane.ts";

const ENGINE = fileURLToPath(new URL("testing/engine.js", import.meta.url));

let dockerd: Dockerd;
let control: TestControlPlane;
let dataDir = "";
let agent: RunningAgent | null = null;

beforeAll(async () => {
  dockerd = await Dockerd.start();
  await importImage(dockerd, SMALL_IMAGE, { shell: true });
});

afterAll(() => dockerd?.[Symbol.asyncDispose]());

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "hr-containers-"));
  control = new TestControlPlane();
  await control.listen();
  await start(false);
});

afterEach(async () => {
  await agent?.close();
  // Whatever a test left running goes, by an agent that takes its jobs with it.
  await start(true);
  await agent?.close();
  await control.close();
  await rm(dataDir, { recursive: true });
  expect(await dockerd.containers()).toEqual([]);
});

async function start(stopJobsOnExit: boolean): Promise<void> {
  agent = await runAgent({
    server: control.url,
    joinToken: JOIN_TOKEN,
    address: "127.0.0.1",
    dataDir,
    declared: { accelerators: [] },
    jobUser: "same",
    dockerSocket: dockerd.socket,
    stopJobsOnExit,
    log: () => undefined,
  });
}

async function inContainer(launch: Partial<DesiredJob["launch"]> = {}): Promise<DesiredJob> {
  const port = await freePort();
  const script = "mkdir -p /www; echo ok > /www/health; exec httpd -f -p 127.0.0.1:$HEADRACE_PORT -h /www";
  const job = desiredJob({ job: "c-1.0", replica: "c-1", engine: null, port, ports: [port], probes: [probe()] });
  const env = { HEADRACE_PORT: String(port) };
  return { ...job, launch: { ...job.launch, script, env, ...dockerLaunch(dataDir), ...launch } };
}

async function asProcess(): Promise<DesiredJob> {
  const port = await freePort();
  const job = desiredJob({ job: "p-1.0", replica: "p-1", port, ports: [port], probes: [probe()] });
  const env = { HEADRACE_PORT: String(port), ENGINE_ROLE: "null", TOKEN: "x" };
  return { ...job, launch: { ...job.launch, script: `exec ${process.execPath} ${ENGINE}`, env } };
}

test("a host runs one job as a process and the next as a container, and adopts both", async () => {
  const first = await control.heard((report) => report.inventory.runtimes.length === 2);
  expect(first.inventory.runtimes).toEqual(["process", "docker"]);
  await control.want([await asProcess(), await inContainer()]);
  await control.state("p-1.0", "ready");
  await control.state("c-1.0", "ready");
  const [container] = await dockerd.containers();
  await agent?.close();
  const heard = control.reports.length;
  await start(false);
  await control.heard(() => control.reports.length > heard);
  expect(await control.state("c-1.0", "ready")).toMatchObject({ attempt: 1 });
  expect((await dockerd.containers()).map(({ Id }) => Id)).toEqual([container?.Id]);
  await control.want([await asProcess()]);
  await control.heard((report) => report.jobs.every(({ job }) => job !== "c-1.0"));
  expect(await dockerd.containers()).toEqual([]);
});

test("a container that was killed is started again, and one that cannot be made says why", async () => {
  const job = await inContainer();
  await control.want([job]);
  await control.state("c-1.0", "ready", 1);
  const [container] = await dockerd.containers();
  await dockerd.call("POST", `/containers/${container?.Id}/kill`);
  expect(await control.state("c-1.0", "ready", 2)).toMatchObject({ recentEnds: 1, lastEnd: { signal: "SIGKILL" } });
  const image = "127.0.0.1:1/no/registry:1";
  await control.want([{ ...(await inContainer(dockerLaunch(dataDir, { image }))), job: "c-2.0", replica: "c-2" }]);
  expect((await control.state("c-2.0", "backoff")).message).toContain(
    `the image ${image} cannot be pulled: 127.0.0.1:1 cannot be reached from this host`,
  );
});

test("while the engine is away its jobs are ready as before, processes are not concerned, and the host says so", async () => {
  const container = await inContainer();
  await control.want([await asProcess(), container]);
  await control.state("p-1.0", "ready");
  await control.state("c-1.0", "ready");
  await dockerd.end();
  const away = await control.heard((report) => !report.inventory.runtimes.includes("docker"));
  expect(away.inventory.warnings.join("\n")).toContain("no container can be started or stopped: ");
  expect(away.jobs.map(({ job, state }) => [job, state]).sort()).toEqual([
    ["c-1.0", "ready"],
    ["p-1.0", "ready"],
  ]);
  expect((await fetch(`http://127.0.0.1:${container.port}/health`)).status).toBe(200);
  // Not even by an agent that is started meanwhile.
  await agent?.close();
  const heard = control.reports.length;
  await start(false);
  const next = await control.heard(() => control.reports.length > heard);
  expect(next.jobs.find(({ job }) => job === "c-1.0")).toMatchObject({ attempt: 1, recentEnds: 0 });
  await dockerd.begin();
  await control.heard((report) => report.inventory.runtimes.includes("docker"));
  expect(await control.state("c-1.0", "ready")).toMatchObject({ attempt: 1, recentEnds: 0 });
});
