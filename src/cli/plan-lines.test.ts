import picocolors from "picocolors";
import { expect, test } from "vitest";
import type { PlanView } from "../control/views.ts";
import { planLines } from "./plan-lines.ts";

const plain = picocolors.createColors(false);
const PLAN: PlanView = { action: "none", service: "chat", revision: 2, changes: [], placements: [], warnings: [] };

test("what changes, where it goes, why it fits nowhere, and warnings", () => {
  const reasons = Array.from({ length: 7 }, (_, i) => ({ host: `host-${i}`, reason: "port 8000 is taken" }));
  const plan: PlanView = {
    ...PLAN,
    action: "update",
    changes: ["group decode: count 2 -> 3"],
    placements: [
      { group: "router", replica: 1, host: "host-0", reasons: [] },
      { group: "decode", replica: 3, host: null, reasons },
    ],
    warnings: ["the router's worker API has no key"],
  };
  expect(planLines(plan, plain)).toEqual([
    "chat will be changed, from revision 2.",
    "  group decode: count 2 -> 3",
    "",
    "Placement now",
    "  group router, replica 1 -> host-0",
    "  group decode, replica 3 fits nowhere now",
    "    host-0: port 8000 is taken",
    "    host-1: port 8000 is taken",
    "    host-2: port 8000 is taken",
    "    host-3: port 8000 is taken",
    "    host-4: port 8000 is taken",
    "    and 2 more hosts",
    "warning: the router's worker API has no key",
  ]);
});

test("no host at all, and no change at all", () => {
  const placements = [{ group: "router", replica: 1, host: null, reasons: [] }];
  expect(planLines({ ...PLAN, action: "create", placements }, plain).at(-1)).toBe(
    "  group router, replica 1 fits nowhere now: the project has no host",
  );
  expect(planLines(PLAN, plain)).toEqual(["chat is as the file says, at revision 2."]);
});
