import picocolors from "picocolors";
import { describe, expect, test } from "vitest";
import type { PlanView } from "../control/views/views.ts";
import { planLines } from "./plan-lines.ts";

/** How whole plans look is in test/fixtures/plans; here is what does not fit there. */
const PLAN: PlanView = {
  action: "update",
  service: "chat",
  revision: 2,
  refusal: null,
  groups: [],
  changes: [],
  placements: [],
  drained: [],
  notes: [],
  warnings: [],
};

const lines = (plan: Partial<PlanView>) => planLines({ ...PLAN, ...plan }, picocolors.createColors(false));

describe("a plan is as long as a person reads", () => {
  test("a few hosts stand for many", () => {
    const hosts = Array.from({ length: 20 }, (_, i) => `gpu-${i}`);
    const reasons = [{ reason: "its agent is not connected", count: 700, hosts }];
    expect(lines({ placements: [{ group: "worker", host: null, replicas: 4, reasons }] }).slice(1)).toEqual([
      "",
      "New replicas, as things are now",
      "  worker  4 fit nowhere and will wait for room:",
      "      700 hosts: its agent is not connected (gpu-0, gpu-1, gpu-2, gpu-3, gpu-4 and 695 more)",
    ]);
  });

  test("a few replicas that go stand for many", () => {
    const drained = Array.from({ length: 12 }, (_, i) => ({ replica: `chat-worker-${i}`, group: "worker", host: "a" }));
    expect(lines({ drained }).slice(-2)).toEqual(["  chat-worker-9  on a", "  and 2 more"]);
  });
});

test("what comes from hosts and files does not act on the terminal", () => {
  const change = { path: "image", groups: [], label: "image", way: "rolled" as const, from: "a", to: "b" };
  const shown = lines({
    changes: [{ ...change, to: "b\u001b[2J", lines: ["- \u001b[1A"] }],
    placements: [
      { group: "worker", host: null, replicas: 1, reasons: [{ reason: "x\ny", count: 1, hosts: ["\u0007"] }] },
    ],
    warnings: ["\u009b"],
  }).join("\n");
  expect(shown).not.toMatch(/[^\P{Cc}\n]/u);
});
