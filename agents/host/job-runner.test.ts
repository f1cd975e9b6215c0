import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { desiredJob } from "./decide/testing.ts";
import type { Answer } from "./decide/types.ts";
import { JobRunner } from "./job-runner.ts";
import type { Runtime, RuntimeJob, StartWatch } from "./runtime/types.ts";

/** A runtime of which a test decides what it lists, and when a start ends. */
class HeldRuntime implements Runtime {
  readonly name: Runtime["name"];
  readonly usable = true;
  readonly storage = null;
  readonly warnings: string[] = [];
  jobs: RuntimeJob[] | Error = [];
  /** Ends the start that is under way. */
  started: (watch: StartWatch) => Promise<void> = async () => undefined;

  constructor(name: Runtime["name"]) {
    this.name = name;
  }

  async list(): Promise<RuntimeJob[]> {
    if (this.jobs instanceof Error) throw this.jobs;
    return this.jobs;
  }

  async start(_: unknown, watch?: StartWatch): Promise<void> {
    if (watch !== undefined) await this.started(watch);
  }

  async signal(): Promise<void> {}
  async remove(): Promise<void> {}
  async processes(): Promise<null> {
    return null;
  }
  logs(): Readable {
    return Readable.from([]);
  }
  onChange(): void {}
  async close(): Promise<void> {}
}

const run = (job: string): RuntimeJob => {
  return { job, replica: "r", attempt: 1, state: "running", incarnation: job, ageMs: 0, end: null };
};

function runnerOver(...runtimes: Runtime[]) {
  const logged: string[] = [];
  const runner = new JobRunner({
    runtimes,
    environment: async () => ({}),
    fetchFile: async () => Buffer.alloc(0),
    beforeStart: async () => undefined,
    changed: () => undefined,
    log: (level, message) => {
      if (level === "error") logged.push(message);
    },
  });
  return { runner, logged };
}

test("a runtime that cannot say what it has keeps nothing from another's jobs, and nothing is concluded of its own", async () => {
  const [processes, containers] = [new HeldRuntime("process"), new HeldRuntime("docker")];
  processes.jobs = [run("p-1")];
  containers.jobs = new Error("the engine is away");
  const { runner, logged } = runnerOver(processes, containers);
  const known = [
    { job: "p-1", runtime: "process" },
    { job: "p-2", runtime: "process" },
    { job: "c-1", runtime: "docker" },
    // Given up before; nobody knows which runtime had it.
    { job: "x-1", runtime: null },
  ];
  const listed = await runner.list(known);
  expect(listed.runs.map(({ job }) => job)).toEqual(["p-1"]);
  expect(listed.busy).toEqual(["c-1", "x-1"]);
  expect(logged).toEqual(["cannot list the jobs of the docker runtime"]);
});

test("a start that is not wanted any more is given up, and how it went is told", async () => {
  const containers = new HeldRuntime("docker");
  containers.started = ({ signal, progress }) =>
    new Promise((_, reject) => {
      progress("pulls the image x");
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  const { runner } = runnerOver(containers);
  const told: Answer[] = [];
  const told1 = new Promise<void>((resolve) => {
    const job = desiredJob({ job: "c-1" });
    const launch = { ...job.launch, runtime: "docker" as const };
    runner.perform("c-1", [{ kind: "start", job: "c-1", attempt: 1 }], { ...job, launch }, (answer) => {
      told.push(answer);
      resolve();
    });
  });
  await told1;
  expect((await runner.list([])).busy).toEqual(["c-1"]);
  runner.giveUpStarts((job) => job === "c-1");
  runner.giveUpStarts(() => false);
  await runner.settled();
  expect(told).toEqual([
    { kind: "starting", job: "c-1", attempt: 1, detail: "pulls the image x" },
    { kind: "start-failed", job: "c-1", attempt: 1, detail: "it is not wanted any more" },
  ]);
});
