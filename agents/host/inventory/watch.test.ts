import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { FakeTree } from "../../../test/support/fake-sysfs/fake-tree.ts";
import { mi300xHost } from "../../../test/support/fake-sysfs/mi300x.ts";
import type { Trees } from "./tree.ts";
import { HardwareWatch } from "./watch.ts";

const NIC5 = "sys/devices/pci0000:a8/0000:a8:01.1/0000:ac:00.0/0000:ad:01.0/0000:b2:00.0/infiniband/bnxt_re5/ports/1";

let folder = "";
let tree: FakeTree;
let said: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "headrace-watch-"));
  tree = mi300xHost();
  said = [];
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

function watch(trees: Trees = tree.trees(), bootId = "b1"): HardwareWatch {
  const file = join(folder, "hardware.json");
  return new HardwareWatch({ trees, nvidiaSmi: null, file, bootId, log: (_, message) => said.push(message) });
}

test("however often it is asked, it reads by its own time, and tells what has changed", async () => {
  let reads = 0;
  const { sys, ...others } = tree.trees();
  const read = (path: string) => {
    reads += 1;
    return sys.read(path);
  };
  const hardware = watch({ ...others, sys: { ...sys, read } });
  let changes = 0;
  hardware.start(() => {
    changes += 1;
  });
  expect((await hardware.current()).problems).toEqual([]);
  const first = reads;
  for (let n = 0; n < 100; n += 1) await hardware.current();
  expect(reads).toBe(first);
  expect(changes).toBe(1);

  tree.add(NIC5, { state: "1: DOWN" });
  vi.advanceTimersByTime(60_000);
  // The turn that the timer began.
  await hardware.read();
  expect(changes).toBe(1);
  // A reading is a small part of a finding: links, errors and temperatures alone.
  expect(reads - first).toBeGreaterThan(8);
  expect(reads - first).toBeLessThan(first / 2);
  await hardware.read();
  expect(changes).toBe(2);
  expect((await hardware.current()).problems).toMatchObject([{ code: "link_down", part: "bnxt_re5" }]);
  expect(said).toEqual(["bnxt_re5 (rdma5) has lost its link"]);
  hardware.close();
  expect(vi.getTimerCount()).toBe(0);
});

test("an agent that starts again misses what was there before, until the machine boots", async () => {
  await watch().current();
  tree.remove("sys/bus/pci/devices/0000:38:00.0");
  const restarted = await watch().current();
  expect(restarted.accelerators).toHaveLength(8);
  const rebooted = await watch(tree.trees(), "b2").current();
  expect(rebooted.accelerators).toHaveLength(7);
});

test("what was remembered in another shape, or is no JSON, is forgotten", async () => {
  for (const text of ["{", '{"format":0,"bootId":"b1","memory":{}}', "null"]) {
    writeFileSync(join(folder, "hardware.json"), text);
    expect((await watch().current()).accelerators).toHaveLength(8);
  }
});

test("a device that does not answer is a problem of its own, and holds nobody up", async () => {
  const { sys, ...others } = tree.trees();
  const stuck = new Set<string>();
  let answer = () => {};
  const hung = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const read = async (path: string) => {
    if (stuck.has(path)) await hung;
    return sys.read(path);
  };
  stuck.add("class/infiniband/bnxt_re3/ports/1/state");
  const hardware = watch({ ...others, sys: { ...sys, read } });
  const first = hardware.current();
  await vi.advanceTimersByTimeAsync(90_000);
  expect((await first).problems).toMatchObject([{ code: "reading_stuck" }]);
  expect((await hardware.current()).problems).toHaveLength(1);
  stuck.clear();
  answer();
  await hardware.read();
  expect(await hardware.current()).toMatchObject({ problems: [], accelerators: { length: 8 } });
});
