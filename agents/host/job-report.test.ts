import { expect, test } from "vitest";
import { desiredJob } from "./decide/testing.ts";
import { EMPTY_MEMORY } from "./decide.ts";
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
