import { expect, it } from "vitest";
import { reportOf } from "../../test/support/reports.ts";
import { report, syncAnswer } from "./report.ts";

it("takes a report from an agent that tries no other hosts", () => {
  const { peers: _, ...older } = reportOf();
  expect(report.parse(older).peers).toBeNull();
});

it("takes an answer from a control plane that names no hosts to try", () => {
  const older = { version: 1, hash: "h", desired: null, nextSyncInMs: 10_000 };
  expect(syncAnswer.parse(older).peers).toBeNull();
});
