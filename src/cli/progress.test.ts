import { describe, expect, test } from "vitest";
import { SERVICE } from "../api/testing/fake-control.ts";
import type { ServiceView } from "../control/views/views.ts";
import { changeLines, readyVerdict, stoppedVerdict } from "./progress.ts";

const view = (changes: Partial<ServiceView>): ServiceView => ({ ...SERVICE, ...changes });

describe("ready", () => {
  test.each<[string, ServiceView | null, object]>([
    ["ready at the revision", view({}), { kind: "done" }],
    ["not ready", view({ ready: false }), { kind: "waiting" }],
    ["a view from before the apply", view({ revision: 2 }), { kind: "waiting" }],
    [
      "a stopped one from before the apply",
      view({ revision: 2, status: "stopped", ready: false }),
      { kind: "waiting" },
    ],
    ["replaced", view({ revision: 4 }), { kind: "failed", reason: "another apply has made revision 4 of it" }],
    ["stopping", view({ status: "stopping", ready: false }), { kind: "failed", reason: "it was stopped" }],
    ["stopping and still ready", view({ status: "stopping" }), { kind: "failed", reason: "it was stopped" }],
    ["gone", null, { kind: "failed", reason: "it was deleted" }],
  ])("%s", (_name, seen, expected) => {
    expect(readyVerdict(seen, 3)).toEqual(expected);
  });
});

test("stopped", () => {
  expect(stoppedVerdict(null)).toEqual({ kind: "done" });
  expect(stoppedVerdict(view({ status: "stopped" }))).toEqual({ kind: "done" });
  expect(stoppedVerdict(view({ status: "stopping" }))).toEqual({ kind: "waiting" });
  expect(stoppedVerdict(view({ status: "running" }))).toEqual({ kind: "failed", reason: "it was applied again" });
});

describe("what is new", () => {
  const [replica] = SERVICE.replicas;
  const starting = view({
    ready: false,
    groups: [{ ...SERVICE.groups[0]!, ready: 0 }],
    replicas: [{ ...replica!, status: "starting", observed: { ...replica!.observed!, message: "loading (start 2)" } }],
  });

  test("everything, at first", () => {
    expect(changeLines(null, starting)).toEqual([
      "chat-worker-1: starting, loading (start 2)",
      "group worker: 0/1 ready",
    ]);
  });

  test("nothing, when nothing is", () => {
    expect(changeLines(starting, structuredClone(starting))).toEqual([]);
  });

  test("what changed, and who is gone", () => {
    expect(changeLines(starting, SERVICE)).toEqual(["chat-worker-1: ready", "group worker: 1/1 ready"]);
    expect(changeLines(SERVICE, view({ replicas: [] }))).toEqual(["chat-worker-1: gone"]);
  });
});
