import { expect, test } from "vitest";
import { desiredJob, probe } from "./decide/testing.ts";
import { decide, EMPTY_MEMORY, keepMemory } from "./decide.ts";
import { reportJobs } from "./job-report.ts";

test("a job that was not decided about yet is reported, never left out as if it were gone", () => {
  const jobs = [
    desiredJob({ job: "w-1.0" }),
    desiredJob({ job: "w-2.0", phase: { kind: "quiesce", withinMs: 1 } }),
    desiredJob({ job: "w-3.0", phase: { kind: "stop", withinMs: 1 } }),
  ];
  const reported = reportJobs({ project: "main", host: "h1", version: 7, jobs }, EMPTY_MEMORY, 0);
  expect(reported.map(({ job, state }) => [job, state])).toEqual([
    ["w-1.0", "starting"],
    ["w-2.0", "quiescing"],
    ["w-3.0", "stopping"],
  ]);
});

test("a start that takes long says what is being done, for as long as it takes", () => {
  const job = desiredJob({ job: "w-1.0" });
  const desired = { project: "main", host: "h1", version: 7, jobs: [job] };
  const started = decide(desired, { runs: [], busy: [], answers: [] }, EMPTY_MEMORY, 0);
  const detail = "pulls the image x: 3 of 12 layers, 2.4 GB fetched";
  const heard = (attempt: number) =>
    decide(
      desired,
      { runs: [], busy: ["w-1.0"], answers: [{ kind: "starting", job: "w-1.0", attempt, detail }] },
      started.memory,
      10,
    ).memory;
  expect(reportJobs(desired, heard(1), 10)[0]).toMatchObject({ state: "starting", message: detail });
  expect(reportJobs(desired, heard(2), 10)[0]?.message).toBe("starts");
  expect(JSON.stringify(keepMemory(heard(1)))).not.toContain(detail);
  const end = { exitCode: null, signal: null, outOfMemory: false, tail: "" };
  const run = { job: "w-1.0", replica: "w-1", attempt: 1, state: "ended" as const, incarnation: "i", ageMs: 0, end };
  const over = decide(desired, { runs: [run], busy: [], answers: [] }, heard(1), 5_000).memory;
  expect(reportJobs(desired, over, 5_000)[0]?.message).not.toContain(detail);
});

test("a probe that fails is named without what its path was filled with", () => {
  const plain = desiredJob({ engine: null, probes: [probe({ path: "/health?key=a-secret-key&pin=42" })] });
  const job = { ...plain, launch: { ...plain.launch, env: { PART: "a-secret", KEY: "a-secret-key", PIN: "42" } } };
  const desired = { project: "main", host: "h1", version: 7, jobs: [job] };
  const run = { job: job.job, replica: job.replica, attempt: 1, incarnation: "i", ageMs: 0, end: null };
  const observed = { runs: [{ ...run, state: "running" as const }], busy: [], answers: [] };
  const { memory } = decide(desired, observed, decide(desired, { ...observed, runs: [] }, EMPTY_MEMORY, 0).memory, 10);
  expect(reportJobs(desired, memory, 10)[0]?.message).toBe(
    "probe GET /health?key=...&pin=...: not asked enough times yet",
  );
});

test("a port without its job says whether it had it before, and which stranger has it now", () => {
  const job = desiredJob({ engine: null, probes: [] });
  const desired = { project: "main", host: "h1", version: 7, jobs: [job] };
  const name = { job: job.job, incarnation: "i" };
  const run = { ...name, replica: job.replica, attempt: 1, ageMs: 0, end: null, state: "running" as const };
  const look = (ok: boolean, detail = "") => ({
    kind: "checked" as const,
    ...name,
    check: "port" as const,
    ok,
    detail,
  });
  const said: (string | undefined)[] = [];
  let { memory } = decide(desired, { runs: [], busy: [], answers: [] }, EMPTY_MEMORY, 0);
  for (const answers of [
    [],
    [look(false)],
    [look(true)],
    [look(false)],
    [look(false)],
    [look(false)],
    [look(false, "taken")],
  ]) {
    ({ memory } = decide(desired, { runs: [run], busy: [], answers }, memory, 10));
    said.push(reportJobs(desired, memory, 10)[0]?.message);
  }
  const [none, gone] = ["", "nothing listens on port 8000 any more"];
  const before = ["looks who listens on its port", "nothing listens on port 8000 yet"];
  expect(said).toEqual([...before, none, none, none, gone, "taken"]);
});
