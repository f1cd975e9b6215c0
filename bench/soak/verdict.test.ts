import { expect, test } from "vitest";
import { trends } from "./verdict.ts";
import type { Vitals } from "./vitals.ts";

const row = (over: Partial<Vitals>): Vitals => ({
  serverMb: 100,
  serverFiles: 30,
  agentMb: 80,
  agentFiles: 30,
  databaseKb: 4_000,
  walKb: 100,
  journalRows: 10_000,
  entities: 20,
  ...over,
});

test("what rises at the start and then stays does not grow", () => {
  const rows = [60, 90, 100, 101, 100, 102, 101, 103, 100].map((serverMb) => row({ serverMb }));
  expect(trends(rows).serverMb).toEqual({ first: 83, middle: 101, last: 101, grows: false });
});

test("what rises to the end grows", () => {
  const rows = [30, 34, 38, 42, 46, 50, 54, 58, 62].map((agentFiles) => row({ agentFiles }));
  expect(trends(rows).agentFiles).toMatchObject({ grows: true });
  expect(trends(rows).serverMb).toMatchObject({ grows: false });
});

test("two rows are too few", () => {
  expect(() => trends([row({}), row({})])).toThrow("three rows");
});
