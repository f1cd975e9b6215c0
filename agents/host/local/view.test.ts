import { expect, test } from "vitest";
import type { DesiredJob } from "../../../src/wire/index.ts";
import { desiredJob, probe } from "../decide/testing.ts";
import { viewJob, viewReport, viewTurn } from "./view.ts";

/** A job in which each text that may be a secret is one. */
function secretive(): DesiredJob {
  return desiredJob({
    launch: {
      runtime: "docker",
      image: "registry.example.com/engine:1",
      shell: "/bin/sh",
      script: "engine --key SECRET-script",
      env: { HF_TOKEN: "SECRET-env", PLAIN: "SECRET-too" },
      workingDir: "/work",
      files: [{ path: "model.yml", sha256: "0".repeat(64), bytes: 12 }],
      container: {
        image: "registry.example.com/engine:1",
        registryAuth: { username: "SECRET-user", password: "SECRET-password" },
        command: { kind: "argv", argv: ["engine", "SECRET-argument"] },
        user: "1000",
        privileged: false,
        shmBytes: null,
        volumes: [{ source: "/mnt/models", target: "/models", optional: false }],
      },
    },
    probes: [
      probe({
        path: "/health?key=SECRET-path",
        headers: [{ name: "authorization", value: "Bearer SECRET-header" }],
        body: "SECRET-body",
      }),
    ],
    workers: [
      { replica: "w-1", url: "http://10.0.0.1:8000", role: "worker", bootstrapPort: null, labels: { key: "SECRET-l" } },
    ],
  });
}

test("nothing is shown of a job in which a secret can stand", () => {
  expect(JSON.stringify(secretive()).match(/SECRET/g)).toHaveLength(10);
  expect(JSON.stringify(viewJob(secretive()))).not.toContain("SECRET");
});

test("what is shown of a job tells what it is and how it is started", () => {
  expect(viewJob(secretive())).toMatchObject({
    job: "w-1.0",
    phase: { kind: "run" },
    launch: {
      image: "registry.example.com/engine:1",
      env: ["HF_TOKEN", "PLAIN"],
      container: { hasRegistryAuth: true, volumes: [{ source: "/mnt/models", target: "/models" }] },
    },
    probes: [{ method: "GET", intervalMs: 10_000 }],
    workers: [{ replica: "w-1", url: "http://10.0.0.1:8000" }],
  });
});

test("logs, in which anything may stand, are left out of reports and decisions", () => {
  const end = { exitCode: 1, signal: null, outOfMemory: false, tail: "SECRET-tail" };
  const run = { job: "w-1.0", replica: "w-1", attempt: 1, state: "ended" as const, incarnation: "i", ageMs: 0, end };
  const [worker] = secretive().workers;
  const action = { kind: "add" as const, job: "r-1.0", incarnation: "i", worker: worker! };
  const turn = viewTurn({ at: 0, runs: [run], busy: [], answers: 0, actions: [action], wakeInMs: 0 });
  expect(turn.runs[0]?.end).toMatchObject({ exitCode: 1 });
  expect(turn.actions).toEqual([
    { kind: "add", job: "r-1.0", incarnation: "i", replica: "w-1", url: "http://10.0.0.1:8000" },
  ]);
  const report = viewReport({
    job: "w-1.0",
    replica: "w-1",
    state: "backoff",
    attempt: 1,
    recentEnds: 1,
    lastEnd: end,
    confirmed: null,
    message: "",
  });
  expect(report.lastEnd).toMatchObject({ exitCode: 1 });
  expect(JSON.stringify([turn, report])).not.toContain("SECRET");
});
