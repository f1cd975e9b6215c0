import { expect, it } from "vitest";
import { Network } from "./network.ts";
import { VirtualClock } from "./testing/virtual-clock.ts";

const never = new AbortController().signal;

it("shares a network evenly among those who send, as they come and go", async () => {
  const clock = new VirtualClock();
  const network = new Network(clock, 1000);
  const ends: Record<string, number> = {};
  const send = (name: string, bytes: number) =>
    network.send(bytes, never).then(() => {
      ends[name] = clock.now();
    });
  const first = send("first", 1000);
  await clock.run(clock.sleep(500));
  const others = [send("second", 1000), send("short", 100)];
  await clock.run(Promise.all([first, ...others]));
  // 500 alone; 300 while three share 100 each; then two share what is left: 400 and 900; then one has it alone.
  expect(ends.short).toBeCloseTo(800, 3);
  expect(ends.first).toBeCloseTo(1600, 3);
  expect(ends.second).toBeCloseTo(2100, 3);
});

it("gives the share of one who leaves to the others", async () => {
  const clock = new VirtualClock();
  const network = new Network(clock, 1000);
  const left = new AbortController();
  const given = network.send(1e9, left.signal);
  const staying = network.send(1000, never);
  await clock.run(clock.sleep(1000));
  left.abort(new Error("left"));
  await expect(given).rejects.toThrow("left");
  await clock.run(staying);
  expect(clock.now()).toBeCloseTo(1500, 3);
});
