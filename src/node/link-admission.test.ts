import { beforeEach, expect, test } from "vitest";
import {
  LINK_WAIT_MS_MAX,
  LINKS_BEGUN_IN_A_TURN,
  LINKS_OPENING_MAX,
  LINKS_RETURNING_PER_S,
  LINKS_WAITING_MAX,
  RETRY_LINK_S_MAX,
} from "./limits.ts";
import { LinkAdmission } from "./link-admission.ts";

let now: number;
let ends: (() => void)[];
let timers: { at: number; run: () => void }[];
let admission: LinkAdmission;
/** Who was let in, and who was told to come back after how many seconds. */
let begun: number[];
let told: Map<number, number>;
let came: number;

beforeEach(() => {
  now = 0;
  ends = [];
  begun = [];
  told = new Map();
  came = 0;
  timers = [];
  admission = new LinkAdmission({
    now: () => now,
    turn: () => new Promise((resolve) => ends.push(resolve)),
    at: (at, run) => {
      const timer = { at, run };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
  });
});

function come(count: number): void {
  for (let i = 0; i < count; i += 1) {
    const name = came++;
    admission.enter({ begin: () => begun.push(name), refuse: (retryAfterS) => told.set(name, retryAfterS) });
  }
}

async function nextTurn(): Promise<void> {
  for (const end of ends.splice(0)) end();
  await Promise.resolve();
}

test("a few are let in in each turn, in the order in which they came", async () => {
  come(3 * LINKS_BEGUN_IN_A_TURN);
  expect(begun).toHaveLength(LINKS_BEGUN_IN_A_TURN);
  await nextTurn();
  expect(begun).toHaveLength(2 * LINKS_BEGUN_IN_A_TURN);
  await nextTurn();
  expect(begun).toEqual(Array.from({ length: 3 * LINKS_BEGUN_IN_A_TURN }, (_, i) => i));
  expect(told.size).toBe(0);
});

test("there are so many places at a time, one that is given back is the next one's, and no turn is spent on waiting", async () => {
  come(LINKS_OPENING_MAX + 2);
  for (let i = 0; i < LINKS_OPENING_MAX; i += 1) await nextTurn();
  expect(begun).toHaveLength(LINKS_OPENING_MAX);
  expect(ends).toHaveLength(0);
  admission.leave();
  await nextTurn();
  expect(begun).toHaveLength(LINKS_OPENING_MAX + 1);
});

test("who has waited for long is told to come back instead, and holds no place", async () => {
  come(LINKS_BEGUN_IN_A_TURN + 1);
  now = LINK_WAIT_MS_MAX + 1;
  await nextTurn();
  expect([begun.length, told.size]).toEqual([LINKS_BEGUN_IN_A_TURN, 1]);
  await nextTurn();
  come(LINKS_OPENING_MAX);
  for (let i = 0; i < LINKS_OPENING_MAX; i += 1) await nextTurn();
  expect(begun).toHaveLength(LINKS_OPENING_MAX);
});

test("while no place is given back, who has waited for long is told to come back all the same", async () => {
  come(LINKS_OPENING_MAX + LINKS_BEGUN_IN_A_TURN + 1);
  for (let i = 0; i < LINKS_OPENING_MAX; i += 1) await nextTurn();
  expect([begun.length, told.size, timers.map(({ at }) => at)]).toEqual([LINKS_OPENING_MAX, 0, [LINK_WAIT_MS_MAX + 1]]);
  now = LINK_WAIT_MS_MAX + 1;
  timers.pop()?.run();
  for (let i = 0; i < 3; i += 1) await nextTurn();
  expect([begun.length, told.size]).toEqual([LINKS_OPENING_MAX, LINKS_BEGUN_IN_A_TURN + 1]);
  expect([ends.length, timers.length]).toEqual([0, 0]);
});

/** So many more than may wait. */
function comeTooMany(count: number): void {
  come(LINKS_BEGUN_IN_A_TURN + LINKS_WAITING_MAX + count);
}

test("those for whom there is no room are spread over the seconds that follow, as many in each as can be let in", () => {
  comeTooMany(3 * LINKS_RETURNING_PER_S);
  const seconds = [...told.values()];
  for (const second of [1, 2, 3]) expect(seconds.filter((each) => each === second)).toHaveLength(LINKS_RETURNING_PER_S);
});

test("nobody is told to wait for longer than the bound, however many come, and what was booked is over with its time", () => {
  comeTooMany((RETRY_LINK_S_MAX + 5) * LINKS_RETURNING_PER_S);
  expect([...told.values()].at(-1)).toBe(RETRY_LINK_S_MAX);
  now = 60_000;
  come(1);
  expect([...told.values()].at(-1)).toBe(1);
});

test("once it is closed those who wait are told to come back", async () => {
  come(LINKS_BEGUN_IN_A_TURN + 3);
  admission.close();
  expect(told.size).toBe(3);
  await nextTurn();
  expect(begun).toHaveLength(LINKS_BEGUN_IN_A_TURN);
});
