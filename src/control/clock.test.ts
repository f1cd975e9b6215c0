import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { steadyTime, systemClock } from "./clock.ts";

const HOUR_MS = 3_600_000;

/** A machine's two clocks: real time passes for both, and only the calendar can be set. */
function machine() {
  let passed = 0;
  let set = Date.UTC(2026, 0, 1);
  const time = steadyTime(
    () => set + passed,
    () => passed,
  );
  const began = time();
  return {
    calendar: () => set + passed - began,
    /** What the clock says after so much real time, since its beginning. */
    later(ms: number) {
      passed += ms;
      return time() - began;
    },
    setBy(ms: number) {
      set += ms;
    },
  };
}

describe("the time that decisions go by", () => {
  it("is the calendar's", () => {
    const { later } = machine();
    expect([later(1), later(999), later(HOUR_MS)]).toEqual([1, 1_000, HOUR_MS + 1_000]);
  });

  it("makes no span longer or shorter by more than half when the calendar is set", () => {
    for (const hours of [1, -1]) {
      const clock = machine();
      clock.later(1_000);
      clock.setBy(hours * HOUR_MS);
      expect(clock.later(0)).toBe(1_000);
      const span = clock.later(30_000) - 1_000;
      expect(span).toBe(hours > 0 ? 45_000 : 15_000);
    }
  });

  it("never goes back, however often it is asked", () => {
    const clock = machine();
    clock.setBy(-HOUR_MS);
    let last = 0;
    for (let n = 0; n < 1_000; n += 1) {
      const time = clock.later(0.3);
      expect(time).toBeGreaterThanOrEqual(last);
      last = time;
    }
    expect(last).toBeGreaterThanOrEqual(149);
  });

  it("is the calendar's again in the end", () => {
    for (const hours of [1, -1]) {
      const clock = machine();
      clock.setBy(hours * HOUR_MS);
      for (let n = 0; n < 120; n += 1) clock.later(60_000);
      expect(clock.later(0)).toBe(clock.calendar());
    }
  });
});

it("calls at a moment that has passed, and not after it was called off", async () => {
  const called: string[] = [];
  const off = systemClock.at(systemClock.now() - 1, () => called.push("off"));
  off();
  await new Promise<void>((resolve) => {
    systemClock.at(systemClock.now() + 5, () => {
      called.push("later");
      resolve();
    });
    systemClock.at(systemClock.now() - HOUR_MS, () => called.push("at once"));
  });
  expect(called).toEqual(["at once", "later"]);
});

it("reads what was sent in time before it calls, also after it could read nothing for a while", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [socket] = (await once(server, "connection")) as [Socket];
  const calls: string[] = [];
  const off = systemClock.at(systemClock.now() + 10, () => calls.push("silent"));
  socket.on("data", () => {
    calls.push("heard");
    off();
  });
  const heard = once(socket, "data");
  client.write("here I am");
  await systemClock.turn();
  const until = performance.now() + 50;
  while (performance.now() < until);
  await heard;
  await systemClock.sleep(5);
  expect(calls).toEqual(["heard"]);
  client.destroy();
  server.close();
});
