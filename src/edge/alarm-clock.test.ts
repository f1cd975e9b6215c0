import { beforeEach, describe, expect, test } from "vitest";
import { AlarmClock } from "./alarm-clock.ts";

/** The one alarm of an object, as its storage keeps it. */
let alarm: number | null;
let sets: number[];
let now: number;
const storage = {
  setAlarm: async (at: number) => {
    alarm = at;
    sets.push(at);
  },
};
const newLife = () => new AlarmClock(storage, () => now);

beforeEach(() => {
  alarm = null;
  sets = [];
  now = 1_000;
});

describe("a clock whose waits are an object's alarm", () => {
  test("sets it for the earliest wait, and does not set it again for a later one", () => {
    const clock = newLife();
    clock.at(5_000, () => {});
    clock.at(9_000, () => {});
    clock.at(3_000, () => {});
    expect(sets).toEqual([5_000, 3_000]);
  });

  test("does what is due when it rings, and is set for what is next", () => {
    const clock = newLife();
    const done: string[] = [];
    clock.at(2_000, () => done.push("first"));
    clock.at(2_000, () => done.push("second"));
    clock.at(4_000, () => done.push("third"));
    now = 2_000;
    clock.rang();
    expect(done).toEqual(["first", "second"]);
    expect(alarm).toBe(4_000);
    now = 4_000;
    clock.rang();
    expect(done).toEqual(["first", "second", "third"]);
  });

  test("what was cancelled is not done, and its alarm rings for nothing", () => {
    const clock = newLife();
    const cancel = clock.at(2_000, () => expect.unreachable());
    cancel();
    now = 2_000;
    clock.rang();
    expect(sets).toEqual([2_000]);
  });

  test("a wait for a moment that has passed rings at the next", () => {
    newLife().at(10, () => {});
    expect(alarm).toBe(1_001);
  });

  test("what is due may wait again, and never goes back in time", () => {
    const clock = newLife();
    const rings: number[] = [];
    const again = () => {
      rings.push(clock.now());
      clock.at(clock.now() + 1_000, again);
    };
    clock.at(2_000, again);
    now = 2_000;
    clock.rang();
    now = 1_500;
    clock.rang();
    expect(rings).toEqual([2_000]);
    expect(clock.now()).toBe(2_000);
    expect(alarm).toBe(3_000);
  });
});
