import { beforeEach, describe, expect, test } from "vitest";
import type { FakeTree } from "../../../test/support/fake-sysfs/fake-tree.ts";
import { h100Host } from "../../../test/support/fake-sysfs/h100.ts";
import { mi300xHost } from "../../../test/support/fake-sysfs/mi300x.ts";
import { describeHardware, type HardwareReport } from "./describe.ts";
import { findHardware, type Hardware, readHardware } from "./hardware.ts";
import { type HealthMemory, knownParts, NOTHING_KNOWN, weigh } from "./health.ts";

const NIC5 = "sys/devices/pci0000:a8/0000:a8:01.1/0000:ac:00.0/0000:ad:01.0/0000:b2:00.0/infiniband/bnxt_re5/ports/1";
const GPU2 = "sys/devices/pci0000:30/0000:30:01.1/0000:35:00.0/0000:36:00.0/0000:37:00.0/0000:38:00.0";

let tree: FakeTree;
let memory: HealthMemory;
beforeEach(() => {
  tree = mi300xHost();
  memory = NOTHING_KNOWN;
});

/** Looks at the host once more. */
async function look(): Promise<HardwareReport> {
  const trees = tree.trees();
  const found: Hardware = await findHardware(trees, null);
  const readings = await readHardware(trees, null, knownParts(memory, found));
  memory = weigh(memory, found, readings);
  return describeHardware(found, readings, memory);
}

/** The messages of each of some looks, one after the other. */
async function looks(count: number): Promise<string[][]> {
  const messages: string[][] = [];
  for (let n = 0; n < count; n += 1) messages.push((await look()).problems.map(({ message }) => message));
  return messages;
}

describe("a link of the fabric", () => {
  const lost = "bnxt_re5 (rdma5) has lost its link";

  test("that is lost is told at the second reading, and over at the fourth that is good", async () => {
    const whole = await look();
    tree.add(NIC5, { state: "1: DOWN", rate: "2.5 Gb/sec (1X SDR)" });
    expect(await looks(3)).toEqual([[], [lost], [lost]]);
    tree.add(NIC5, { state: "4: ACTIVE", rate: "400 Gb/sec (4X NDR)" });
    expect(await looks(4)).toEqual([[lost], [lost], [lost], []]);
    expect(await look()).toEqual(whole);
  });

  test("that flaps is neither told nor leaves the fabric", async () => {
    const whole = await look();
    for (let n = 0; n < 6; n += 1) {
      tree.add(NIC5, { state: n % 2 === 0 ? "1: DOWN" : "4: ACTIVE" });
      expect(await look()).toEqual(whole);
    }
  });

  test("names the accelerators that it was nearest to, and is not offered meanwhile", async () => {
    await look();
    tree.add(NIC5, { state: "1: DOWN" });
    await look();
    const report = await look();
    expect(report.problems).toEqual([{ code: "link_down", part: "bnxt_re5", accelerators: [5, 7], message: lost }]);
    expect(report.fabric?.nics).not.toContain("bnxt_re5");
    expect(report.accelerators[5]?.device?.near).toEqual({ distance: "node", nics: ["bnxt_re4", "bnxt_re6"] });
  });

  test("that never was there is a warning, as at a port without a cable", async () => {
    expect(await looks(3)).toEqual([[], [], []]);
    expect((await look()).warnings).toContain("bnxt_re7 (rdma7) has no link: it is DOWN");
  });

  test("whose NIC disappears is lost as well", async () => {
    await look();
    tree.remove("sys/class/infiniband/bnxt_re5");
    await look();
    expect((await look()).problems).toMatchObject([{ code: "link_down", part: "bnxt_re5" }]);
  });

  test("of the storage's network is a warning", async () => {
    tree = h100Host();
    await look();
    tree.add("sys/devices/pci0000:26/0000:26:02.0/0000:28:00.0/infiniband/mlx5_2/ports/1", { state: "1: DOWN" });
    await look();
    expect(await look()).toMatchObject({ problems: [], warnings: ["mlx5_2 (ens1f0np0) has no link: it is DOWN"] });
  });
});

describe("an accelerator", () => {
  test("that is gone keeps its index, so that none takes its place among the promises", async () => {
    const { accelerators } = await look();
    tree.remove("sys/bus/pci/devices/0000:38:00.0");
    await look();
    const report = await look();
    expect(report.accelerators).toEqual(accelerators);
    expect(report.problems).toEqual([
      {
        code: "accelerator_gone",
        part: "0000:38:00.0",
        accelerators: [2],
        message: "accelerator 2 (MI300X, 0000:38:00.0) was there and no longer answers; restart the machine",
      },
    ]);
  });

  test("with uncorrected errors is told until they are reset", async () => {
    await look();
    tree.add(GPU2, { "ras/umc_err_count": "ue: 1\nce: 9" });
    const said = "accelerator 2 (MI300X, 0000:38:00.0) has uncorrected memory errors; reset it";
    expect(await looks(2)).toEqual([[], [said]]);
    tree.add(GPU2, { "ras/umc_err_count": "ue: 0\nce: 0" });
    expect((await looks(4)).at(-1)).toEqual([]);
  });

  test("at its limit is hot until it is well below it; in between nothing changes", async () => {
    await look();
    const said = "accelerator 2 (MI300X, 0000:38:00.0) is at its temperature limit; look at its cooling";
    const heat = (millidegrees: number) => tree.add(GPU2, { "hwmon/hwmon5/temp2_input": millidegrees });
    heat(101_000);
    expect(await looks(2)).toEqual([[], [said]]);
    heat(95_000);
    expect((await looks(5)).at(-1)).toEqual([said]);
    heat(80_000);
    expect((await looks(4)).at(-1)).toEqual([]);
    heat(95_000);
    expect((await looks(5)).at(-1)).toEqual([]);
  });

  test("of which nothing can be read any more is neither well nor unwell", async () => {
    tree.add(GPU2, { "ras/umc_err_count": "ue: 1\nce: 9" });
    await looks(2);
    tree.remove(`${GPU2}/ras`);
    expect((await looks(5)).at(-1)).toHaveLength(1);
  });

  test("of NVIDIA whose driver lost it is gone, though its device is there", async () => {
    tree = h100Host();
    await look();
    tree.remove("proc/driver/nvidia/gpus/0000:4c:00.0");
    await look();
    expect((await look()).problems).toMatchObject([{ code: "accelerator_gone", accelerators: [2] }]);
  });
});
