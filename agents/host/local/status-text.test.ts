import { expect, test } from "vitest";
import { statusText } from "./status-text.ts";
import { agentView, NOW } from "./testing/agent-view.ts";

test("says first what somebody on the host wants to know", () => {
  expect(statusText(agentView(), NOW)).toBe(`agent 0.1.0 with Node 24.21.0, process 4711, up 3 h
host gpu-7-0123abcd of the fleet h100, project main at https://headrace.example.com
linked for 10 min, synced 4 s ago
it holds commit 42 with 2 jobs
  job    state    attempt
  w-1.0  ready    1
  w-2.0  backoff  3        ended with exit code 1
runtimes: process, docker (not usable)
accelerators: 2 H100, 1 not well
disk: 812 of 1900 GB free
memory 72 MB, 0.2 % of a core since its start
link: 2 times opened, 4 streams open, 1.5 MB in, 42 MB out
problem: accelerator 1 is too hot
warning: no container can be started or stopped: nothing listens
`);
});

test("says how the server is heard, and why it is not", () => {
  const line = (fields: Parameters<typeof agentView>[0]) => statusText(agentView(fields), NOW).split("\n")[2];
  const link = { ...agentView().link, since: null };
  const syncs = { ...agentView().syncs, answeredAt: null, failure: "the server answered 403" };
  expect(line({ link, heardBy: "requests" })).toBe("no link can be opened; it syncs by requests, synced 4 s ago");
  expect(line({ link, heardBy: null, syncs })).toBe(
    "the server is not heard, never synced: the server answered 403. Jobs go on",
  );
});

test("commands no terminal", () => {
  const [job] = agentView().jobs;
  const told = statusText(agentView({ jobs: [{ ...job!, message: "\u001b[2Jgone\u202e" }] }), NOW);
  expect(told).toContain("?[2Jgone?");
});
