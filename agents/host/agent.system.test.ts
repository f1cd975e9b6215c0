import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { streamOf } from "../../src/link/flows.ts";
import type { ReceivedBody } from "../../src/link/types.ts";
import type { DesiredJob, JobPhase, LogLine } from "../../src/wire/index.ts";
import { plainInventory } from "../../test/support/inventories.ts";
import { freePort } from "../../test/support/ports.ts";
import { type RunningAgent, startAgent } from "./agent.ts";
import { desiredJob, probe } from "./decide/testing.ts";
import { askAgent } from "./local/ask-agent.ts";
import type { AgentView } from "./local/view.ts";
import { openProcessRuntime } from "./runtime/process/process-runtime.ts";
import { JOIN_TOKEN, TestControlPlane } from "./testing/control-plane.ts";

/** Five times what it takes: up to a second to end, and two until a worker that is not reached is taken out. */
const OUT_WITHIN_MS = 15_000;

let dataDir: string;
let control: TestControlPlane;
let agent: RunningAgent | null = null;
let lines: string[] = [];

const script = (name: string) => fileURLToPath(new URL(`testing/${name}.js`, import.meta.url));

async function start(options: { token?: string | null; server?: string; stopJobsOnExit?: boolean } = {}) {
  agent = await startAgent({
    server: options.server ?? control.url,
    joinToken: options.token === undefined ? JOIN_TOKEN : options.token,
    name: "host-1",
    dataDir,
    stopJobsOnExit: options.stopJobsOnExit ?? false,
    facts: {
      machine: "machine-1",
      bootId: "boot-1",
      address: "127.0.0.1",
      inventory: async () => {
        const accelerators = [{ index: 0, vendor: "nvidia" as const, name: "H200", memoryGib: 141 }];
        return plainInventory({ cpus: 2, memoryGib: 4, diskGib: 10, accelerators });
      },
      watch: () => undefined,
      busyPorts: async () => [],
    },
    runtimes: [await openProcessRuntime({ dataDir, user: null })],
    log: (level, message, fields) => lines.push(JSON.stringify({ level, message, ...fields })),
  });
  return agent;
}

/** The agent ends, its jobs run on. */
async function endAgent() {
  await agent?.close();
  agent = null;
}

function engine(port: number, fields: Partial<DesiredJob> = {}): DesiredJob {
  const env = { HEADRACE_PORT: String(port), ENGINE_ROLE: "null", TOKEN: "a-secret" };
  return desiredJob({
    port,
    ports: [port],
    probes: [probe({ intervalMs: 1_000 })],
    launch: {
      runtime: "process",
      image: null,
      shell: "/bin/sh",
      script: `exec ${process.execPath} ${script("engine")}`,
      env,
      workingDir: null,
      files: [],
      container: null,
    },
    ...fields,
  });
}

function router(port: number, workers: DesiredJob[]): DesiredJob {
  const job = engine(port, { job: "r-1.0", replica: "r-1", role: "router", router: "smg", engine: null });
  return {
    ...job,
    launch: { ...job.launch, script: `exec ${process.execPath} ${script("router")}` },
    workers: workers.map(({ replica, port }) => ({
      replica,
      url: `http://127.0.0.1:${port}`,
      role: "worker",
      bootstrapPort: null,
      labels: { pairing_protocol: "one" },
    })),
  };
}

async function http(replica: string, path: string, init: { method?: string; body?: string } = {}) {
  const answer = await control.link!.request(
    { kind: "http", replica, method: init.method ?? "GET", path, headers: [["x-test", "yes"]] },
    init.body === undefined ? null : new TextEncoder().encode(init.body),
  );
  return { status: answer.head.status, body: answer.body };
}

async function text(body: ReceivedBody): Promise<string> {
  return new Response(streamOf(body)).text();
}

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "hr-agent-"));
  control = new TestControlPlane();
  lines = [];
  await control.listen();
});

afterEach(async () => {
  await endAgent();
  // Whatever a test left running goes, by an agent that takes its jobs with it.
  await start({ stopJobsOnExit: true, server: control.url }).catch(() => undefined);
  await endAgent();
  await control.close();
  await rm(dataDir, { recursive: true, force: true });
});

describe("where no link can be opened", () => {
  const said = (part: string) => lines.filter((line) => line.includes(part));

  it("the host syncs by requests at the server's pace, says so once, and takes the link when there is one", async () => {
    control.refusesLinks = true;
    control.answer = (answer) => ({ ...answer, nextSyncInMs: 300 });
    await start();
    await control.heard(() => true);
    expect(control.link).toBeNull();
    await control.want([engine(await freePort())]);
    await control.state("w-1.0", "ready");
    await expect.poll(() => said("no link can be opened")).toHaveLength(1);
    expect(said("no link can be opened")[0]).toContain("status 403");

    control.refusesLinks = false;
    await expect.poll(() => control.link).not.toBeNull();
    await control.want([]);
    const { posts } = control;
    await control.heard((last) => last.applied.version === control.version && last.jobs.length === 0);
    // At most one request was under way when the link was opened.
    expect(control.posts - posts).toBeLessThanOrEqual(1);
    expect(said("no link can be opened")).toHaveLength(1);
    expect(said("a sync failed")).toEqual([]);
  });

  it("and no request is answered either, it is said that the server cannot be reached, and nothing else", async () => {
    await start();
    await control.heard(() => true);
    const { port } = control;
    await control.close();
    await expect.poll(() => said("the server cannot be reached")).not.toEqual([]);
    control = new TestControlPlane();
    // The one that is there now knows nobody: this host's credential is refused, by whichever way it comes.
    await control.listen(port);
    await expect.poll(() => said("does not accept this host's credential")).toHaveLength(1);
    expect(said("no link can be opened")).toEqual([]);
  });
});

describe("joining", () => {
  it("happens once; the credential is for its owner only and never in a log", async () => {
    await start();
    await control.heard(() => true);
    expect((await stat(join(dataDir, "credential.json"))).mode & 0o777).toBe(0o600);
    const { credential } = JSON.parse(await readFile(join(dataDir, "credential.json"), "utf8"));
    await endAgent();
    const heard = control.reports.length;
    await start({ token: null });
    await control.heard(() => control.reports.length > heard);
    expect(control.joins).toBe(1);
    expect(lines.join("\n")).not.toContain(credential);
    expect(lines.join("\n")).not.toContain(JOIN_TOKEN);
  });

  it("whose answer was lost is sent again by the next start, and is the same join", async () => {
    control.lostJoinAnswers = 1;
    await expect(start()).rejects.toThrow(/cannot be reached/);
    expect((await stat(join(dataDir, "joining.json"))).mode & 0o777).toBe(0o600);
    const asked = control.credentialHash;
    await start();
    await control.heard(() => true);
    expect(control.joins).toBe(2);
    expect(control.credentialHash).toBe(asked);
    await expect(stat(join(dataDir, "joining.json"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("is refused with what to do", async () => {
    await expect(start({ token: "wrong" })).rejects.toThrow(/does not accept this join token.*headrace host join/);
    await expect(start({ token: null })).rejects.toThrow(/has not joined yet/);
  });

  it("is not repeated with another server", async () => {
    await start();
    await endAgent();
    await expect(start({ server: "http://127.0.0.1:1" })).rejects.toThrow(/joined http.* and not http:\/\/127.0.0.1:1/);
  });

  it("that the server has forgotten is said clearly, and jobs go on", async () => {
    await start();
    await control.heard(() => true);
    const port = await freePort();
    await control.want([engine(port)]);
    await control.state("w-1.0", "ready");
    await endAgent();
    const path = join(dataDir, "credential.json");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace(/hrh_[\w-]+/, "hrh_revoked"));
    await start();
    await expect
      .poll(() => lines.filter((line) => line.includes("does not accept this host's credential")))
      .toHaveLength(1);
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
    await endAgent();
    await writeFile(path, text);
  });

  it("leaves a data folder to the agent that works in it", async () => {
    const first = await start();
    await expect(start()).rejects.toThrow(/Another agent/);
    agent = first;
  });
});

describe("a job", () => {
  it("is started, found ready, and serves what comes over the link", async () => {
    const port = await freePort();
    await start();
    await control.heard(() => true);
    await control.want([engine(port)]);
    const job = await control.state("w-1.0", "ready");
    expect(job).toMatchObject({ attempt: 1, confirmed: { role: "worker" } });

    const echoed = await http("w-1", "/v1/echo?a=b", { method: "POST", body: '{"x":1}' });
    expect(echoed.status).toBe(200);
    expect(JSON.parse(await text(echoed.body))).toMatchObject({
      method: "POST",
      url: "/v1/echo?a=b",
      text: '{"x":1}',
      headers: { "x-test": "yes", host: `127.0.0.1:${port}` },
    });
    const environment = JSON.parse(await text((await http("w-1", "/environment")).body));
    expect(environment).toMatchObject({
      TOKEN: "a-secret",
      HEADRACE_ADDRESS: "127.0.0.1",
      CUDA_VISIBLE_DEVICES: "",
      PATH: process.env.PATH,
    });
    expect(lines.join("\n")).not.toContain("a-secret");

    const state = await askAgent(dataDir, "/debug/state");
    const { heardBy, desired, jobs, lastTurn, link } = JSON.parse(state) as AgentView;
    expect(heardBy).toBe("link");
    expect(desired?.jobs[0]?.launch.env).toContain("TOKEN");
    expect(jobs).toMatchObject([{ job: "w-1.0", state: "ready" }]);
    expect(lastTurn?.runs).toMatchObject([{ job: "w-1.0", state: "running" }]);
    expect(link.bytesReceived).toBeGreaterThan(0);
    expect(state).not.toContain("a-secret");
  });

  it("that is another replica's is not served: 421", async () => {
    await start();
    await control.heard(() => true);
    const answer = await http("elsewhere-1", "/");
    expect(answer.status).toBe(421);
    expect(JSON.parse(await text(answer.body))).toMatchObject({ error: { code: "replica_not_here" } });
  });

  it("that does not listen yet is told as one that has seen nothing of the request", async () => {
    await start();
    await control.heard(() => true);
    const job = engine(await freePort());
    await control.want([{ ...job, launch: { ...job.launch, script: "exec sleep 1000" } }]);
    await control.state("w-1.0", "starting", 1);
    const answer = async () => text((await http("w-1", "/")).body);
    await expect.poll(answer).toContain('"code":"replica_unreachable"');
  });

  it("streams, and a cancelled stream ends at the job", async () => {
    await start();
    await control.heard(() => true);
    await control.want([engine(await freePort())]);
    await control.state("w-1.0", "ready");
    const { body } = await http("w-1", "/stream");
    const reader = streamOf(body).getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toContain("first");
    const load = async () => JSON.parse(await text((await http("w-1", "/v1/loads")).body)).loads[0].num_running_reqs;
    expect(await load()).toBe(1);
    await reader.cancel();
    await expect.poll(load).toBe(0);
  });

  it("that crashes is started again, and its end is told", async () => {
    await start();
    await control.heard(() => true);
    await control.want([engine(await freePort())]);
    await control.state("w-1.0", "ready");
    await http("w-1", "/crash").catch(() => undefined);
    const job = await control.state("w-1.0", "ready", 2);
    expect(job).toMatchObject({ recentEnds: 1, lastEnd: { exitCode: 7 } });
    expect(job.lastEnd?.tail).toContain("engine listens");
  });

  it("tells its log, and goes on telling it", async () => {
    await start();
    await control.heard(() => true);
    await control.want([engine(await freePort())]);
    await control.state("w-1.0", "ready");
    const answer = await control.link!.request({ kind: "logs", replica: "w-1", tailLines: 10, follow: true });
    const reader = streamOf(answer.body).getReader();
    const told: LogLine[] = [];
    while (!told.some((line) => line.text === "engine listens")) {
      const { value } = await reader.read();
      for (const line of new TextDecoder().decode(value).trimEnd().split("\n")) told.push(JSON.parse(line));
    }
    expect(told.at(-1)).toMatchObject({ replica: "w-1", attempt: 1, text: "engine listens" });
    await http("w-1", "/say");
    expect(new TextDecoder().decode((await reader.read()).value)).toContain("said something");
    await reader.cancel();
  });

  it("is quiesced without cutting its stream, and removed when it is not wanted any more", async () => {
    await start();
    await control.heard(() => true);
    const job = engine(await freePort());
    await control.want([job]);
    await control.state("w-1.0", "ready");
    const { body } = await http("w-1", "/stream");
    const reader = streamOf(body).getReader();
    const phase: JobPhase = { kind: "quiesce", withinMs: 60_000 };
    await control.want([{ ...job, phase }]);
    await control.state("w-1.0", "quiescing");
    for (let reads = 0; reads < 100; reads += 1) expect((await reader.read()).done).toBe(false);
    await reader.cancel();
    await control.state("w-1.0", "ended");
    await control.want([]);
    await control.heard((last) => last.jobs.length === 0);
    await expect(stat(join(dataDir, "jobs", "w-1.0"))).rejects.toThrow("ENOENT");
  });

  it("of an engine that is not known counts as idle once no request over the link is open", async () => {
    await start();
    await control.heard(() => true);
    const job = { ...engine(await freePort()), engine: null };
    await control.want([job]);
    await control.state("w-1.0", "ready");
    const { body } = await http("w-1", "/stream");
    const reader = streamOf(body).getReader();
    const phase: JobPhase = { kind: "quiesce", withinMs: 600_000 };
    await control.want([{ ...job, phase }]);
    await control.state("w-1.0", "quiescing");
    for (let reads = 0; reads < 100; reads += 1) expect((await reader.read()).done).toBe(false);
    await reader.cancel();
    await control.state("w-1.0", "ended");
  });
});

describe("an agent that ends", () => {
  it("leaves its jobs running, and the next one adopts them without the server", async () => {
    await start();
    await control.heard(() => true);
    const port = await freePort();
    await control.want([engine(port)]);
    await control.state("w-1.0", "ready");
    const { port: serverPort } = control;
    await control.close();
    await endAgent();
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);

    await start({ token: null, server: `http://127.0.0.1:${serverPort}` });
    await fetch(`http://127.0.0.1:${port}/crash`).catch(() => undefined);
    await expect
      .poll(() =>
        fetch(`http://127.0.0.1:${port}/health`).then(
          ({ status }) => status,
          () => 0,
        ),
      )
      .toBe(200);
    const { jobs, version, credentialHash } = control;
    control = Object.assign(new TestControlPlane(), { jobs, version, credentialHash, joins: 1 });
    await control.listen(serverPort);
    expect(await control.state("w-1.0", "ready", 2)).toMatchObject({ recentEnds: 1 });
  });

  it("takes its jobs with it when it is told to", async () => {
    await start({ stopJobsOnExit: true });
    await control.heard(() => true);
    const port = await freePort();
    await control.want([engine(port)]);
    await control.state("w-1.0", "ready");
    await endAgent();
    await expect(fetch(`http://127.0.0.1:${port}/health`)).rejects.toThrow();
    await expect(stat(join(dataDir, "jobs", "w-1.0"))).rejects.toThrow("ENOENT");
  });
});

describe("a desired state", () => {
  it("that is older than the one held is not followed", async () => {
    await start();
    await control.heard(() => true);
    const job = engine(await freePort());
    await control.want([job]);
    await control.state("w-1.0", "ready");
    control.answer = (answer) => ({
      ...answer,
      version: 0,
      hash: "old",
      desired: { project: "main", host: "h1", version: 0, jobs: [] },
    });
    await control.link!.request({ kind: "wake" });
    await expect.poll(() => lines.some((line) => line.includes("is not followed"))).toBe(true);
    control.answer = null;
    const heard = control.reports.length;
    await control.link!.request({ kind: "wake" });
    await control.heard(() => control.reports.length > heard);
    expect(control.reports.at(-1)).toMatchObject({ applied: { version: 1 }, jobs: [{ state: "ready" }] });
  });
});

describe("a router", () => {
  it("is given its workers, again after a restart, and is ready when it says so", async () => {
    await start();
    await control.heard(() => true);
    const workers = [engine(await freePort()), engine(await freePort(), { job: "w-2.0", replica: "w-2" })];
    const routerPort = await freePort();
    await control.want([...workers, router(routerPort, [])]);
    await control.heard((last) => last.routers[0]?.synced === 1);
    expect(control.reports.at(-1)?.routers[0]?.listed).toEqual([]);
    await control.heard((last) =>
      last.jobs.some(({ state, message }) => state === "starting" && message.includes("router does not serve yet")),
    );

    await control.want([...workers, router(routerPort, workers)]);
    const first = await control.heard((last) => last.routers[0]?.listed.length === 2);
    await control.heard((last) => last.routers[0]?.synced === 2);
    await control.state("r-1.0", "ready");

    await http("r-1", "/crash").catch(() => undefined);
    const second = await control.heard(
      (last) => last.routers[0]?.listed.length === 2 && last.routers[0].incarnation !== first.routers[0]?.incarnation,
    );
    expect(second.routers[0]?.synced).toBe(2);
  });

  it("loses a dead worker within seconds and keeps the last one", async () => {
    await start();
    await control.heard(() => true);
    const workers = [engine(await freePort()), engine(await freePort(), { job: "w-2.0", replica: "w-2" })];
    const routerJob = router(await freePort(), workers);
    await control.want([...workers, routerJob]);
    await control.heard((last) => last.routers[0]?.listed.length === 2);
    // Stopped behind the router's back: nobody unlists it.
    const phase: JobPhase = { kind: "stop", withinMs: 1_000 };
    await control.want([{ ...workers[0]!, phase }, workers[1]!, routerJob]);
    const diedAt = performance.now();
    await control.heard((last) => last.routers[0]?.listed.length === 1);
    expect(performance.now() - diedAt).toBeLessThan(OUT_WITHIN_MS);
    expect(control.reports.at(-1)?.routers[0]?.listed).toEqual(["w-2"]);
  });
});
