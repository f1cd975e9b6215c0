import { expect, test } from "vitest";
import { REPORT_BYTES_BURST, REPORT_BYTES_PER_S, ReportPace } from "./report-pace.ts";

test("a project waits for what it has sent beyond its burst, and no other project with it", () => {
  let now = 1_000;
  const pace = new ReportPace(() => now);
  pace.spend("loud", REPORT_BYTES_BURST);
  expect(pace.waitMs("loud")).toBe(0);
  pace.spend("loud", 2 * REPORT_BYTES_PER_S);
  expect(pace.waitMs("loud")).toBe(2_000);
  expect(pace.waitMs("quiet")).toBe(0);
  now += 1_500;
  expect(pace.waitMs("loud")).toBe(500);
  now += 500;
  expect(pace.waitMs("loud")).toBe(0);
  // Being quiet for long earns one burst, not more.
  now += 1e9;
  pace.spend("loud", REPORT_BYTES_BURST + REPORT_BYTES_PER_S);
  expect(pace.waitMs("loud")).toBe(1_000);
});
