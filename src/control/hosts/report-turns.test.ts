import { beforeEach, expect, test } from "vitest";
import { BEGUN_IN_A_TURN, BEGUN_WHILE_CONNECTING, REPORTS_AT_ONCE, ReportTurns } from "./report-turns.ts";

let now: number;
let ends: (() => void)[];
let turns: ReportTurns;
/** Who was read, in order, and how to end each. */
let read: string[];
let overs: (() => void)[];

beforeEach(() => {
  now = 0;
  ends = [];
  read = [];
  overs = [];
  turns = new ReportTurns({ now: () => now, turn: () => new Promise((resolve) => ends.push(resolve)) });
});

/** Lets what was resolved be heard. */
const heard = () => new Promise((resolve) => setImmediate(resolve));

/** Ends the present turn. */
async function nextTurn(): Promise<void> {
  for (const end of ends.splice(0)) end();
  await heard();
}

/** Reports that come in now; those whose turn it is are read and answered at once, or held until `overs` is called. */
async function come(count: number, project = "main", isHeld = false): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    void turns.take(project, new AbortController().signal).then(({ waitedMs, over }) => {
      read.push(`${project} ${waitedMs}`);
      if (isHeld) overs.push(over);
      else over();
    });
  }
  await heard();
}

test("of many reports some are read in each turn, so that what else comes in is heard in between", async () => {
  await come(2 * BEGUN_IN_A_TURN + 1);
  expect(read).toHaveLength(BEGUN_IN_A_TURN);
  now = 5;
  await nextTurn();
  expect(read).toHaveLength(2 * BEGUN_IN_A_TURN);
  await nextTurn();
  expect(read.at(0)).toBe("main 0");
  expect(read.slice(2 * BEGUN_IN_A_TURN)).toEqual(["main 5"]);
});

test("while hosts connect, turns are short", async () => {
  turns.connected();
  const reports = BEGUN_IN_A_TURN + BEGUN_WHILE_CONNECTING;
  await come(reports);
  expect(read).toHaveLength(BEGUN_WHILE_CONNECTING);
  await nextTurn();
  expect(read).toHaveLength(2 * BEGUN_WHILE_CONNECTING);
  await nextTurn();
  expect(read).toHaveLength(reports);
});

test("no more are under way than one commit takes in", async () => {
  await come(REPORTS_AT_ONCE + 3, "main", true);
  for (let i = 0; i < 5; i += 1) await nextTurn();
  expect(read).toHaveLength(REPORTS_AT_ONCE);
  for (const over of overs.splice(0, 2)) over();
  await nextTurn();
  expect(read).toHaveLength(REPORTS_AT_ONCE + 2);
});

test("while all places are taken no turn is asked for, so that the process can rest", async () => {
  await come(REPORTS_AT_ONCE + 3, "main", true);
  await nextTurn();
  expect(ends).toHaveLength(0);
  overs[0]?.();
  await nextTurn();
  expect(read).toHaveLength(REPORTS_AT_ONCE + 1);
});

test("no project waits for all that another one has sent", async () => {
  await come(REPORTS_AT_ONCE + 4, "loud", true);
  await come(2, "calm", true);
  read.length = 0;
  for (const over of overs.splice(0, 4)) over();
  await nextTurn();
  expect(read.map((each) => each.split(" ")[0])).toEqual(["loud", "calm", "loud", "calm"]);
});

test("who gives up waiting is not read, and holds nobody up", async () => {
  await come(REPORTS_AT_ONCE, "main", true);
  const gaveUp = new AbortController();
  const taken = turns.take("main", gaveUp.signal);
  await come(1);
  gaveUp.abort(new Error("it took too long"));
  await expect(taken).rejects.toThrow("it took too long");
  overs[0]?.();
  await nextTurn();
  expect(read).toHaveLength(REPORTS_AT_ONCE + 1);
});

test("it is known up to when all that a project's hosts have sent was read", async () => {
  await come(REPORTS_AT_ONCE, "other", true);
  now = 1_000;
  await come(1, "loud", true);
  now = 3_000;
  await come(1, "loud", true);
  now = 9_000;
  expect([turns.heardUpTo("loud"), turns.heardUpTo("calm")]).toEqual([1_000, 9_000]);
  for (const over of overs.splice(0)) over();
  await nextTurn();
  // Read, and not answered: what it says may be on its way to the database.
  expect(turns.heardUpTo("loud")).toBe(1_000);
  for (const over of overs.splice(0)) over();
  expect(turns.heardUpTo("loud")).toBe(9_000);
});
