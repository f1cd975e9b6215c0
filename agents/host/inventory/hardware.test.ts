import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { inventory } from "../../../src/wire/index.ts";
import { efaHost } from "../../../test/support/fake-sysfs/efa.ts";
import { FakeTree } from "../../../test/support/fake-sysfs/fake-tree.ts";
import { h100Host } from "../../../test/support/fake-sysfs/h100.ts";
import { mi300xHost } from "../../../test/support/fake-sysfs/mi300x.ts";
import { describeHardware, type HardwareReport } from "./describe.ts";
import { findHardware, readHardware } from "./hardware.ts";
import { NOTHING_KNOWN, weigh } from "./health.ts";
import { diskTree, type Trees } from "./tree.ts";

/** What a first look at a host says. */
async function look(trees: Trees): Promise<HardwareReport> {
  const found = await findHardware(trees, null);
  const readings = await readHardware(trees, null, found);
  return describeHardware(found, readings, weigh(NOTHING_KNOWN, found, readings));
}

const near = ({ accelerators }: HardwareReport) =>
  accelerators.map(({ device }) => `${device?.near?.distance}: ${device?.near?.nics.join(" ")}`);
const active = ({ nics }: HardwareReport) => nics.filter(({ state }) => state === "active").length;
const numbered = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

describe("8 x MI300X with RoCE", () => {
  test("has its accelerators with their NICs, but for the one whose port is down", async () => {
    const report = await look(mi300xHost().trees());
    expect([report.accelerators.length, report.nics.length, active(report)]).toEqual([8, 8, 7]);
    expect(report.fabric).toEqual({ kind: "roce", rateGbps: 400, nics: numbered("bnxt_re", 7), gidIndex: 3 });
    expect(near(report)).toEqual([...numbered("pxb: bnxt_re", 7), "node: bnxt_re4 bnxt_re5 bnxt_re6"]);
    expect(report.warnings).toEqual([
      "bnxt_re7 (rdma7) has no link: it is DOWN",
      "accelerator 7 has no active NIC of the fabric near it; the nearest are bnxt_re4, bnxt_re5, bnxt_re6",
    ]);
    expect(report.problems).toEqual([]);
    expect(report.accelerators[4]).toEqual({
      index: 4,
      vendor: "amd",
      name: "MI300X",
      memoryGib: 192,
      device: {
        bus: "0000:9f:00.0",
        numa: 1,
        driver: "amdgpu",
        uuid: "GPU-a1b2c3d4e5f61004",
        nodes: ["dri/renderD160"],
        near: { distance: "pxb", nics: ["bnxt_re4"] },
      },
    });
    expect(report.nics[7]).toEqual({
      name: "bnxt_re7",
      port: 1,
      bus: "0000:e2:00.0",
      numa: 1,
      driver: "bnxt_en",
      interface: "rdma7",
      state: "down",
      rateGbps: 400,
      linkLayer: "ethernet",
      gidIndex: 3,
      nodes: ["infiniband/uverbs7"],
    });
  });

  test("with AMD's own NICs their only IPv4 address is the first", async () => {
    const { fabric } = await look(mi300xHost("ionic").trees());
    expect(fabric).toEqual({ kind: "roce", rateGbps: 400, nics: numbered("ionic_", 7), gidIndex: 1 });
  });

  test("with one NIC unlike the others none of the indices is right for all", async () => {
    const report = await look(mi300xHost("mixed").trees());
    expect(report.fabric).toMatchObject({ kind: "roce", gidIndex: null });
    expect(report.nics.map(({ gidIndex }) => gidIndex)).toEqual([3, 3, 3, 3, 3, 5, 3, 3]);
    expect(report.warnings.at(-1)).toBe(
      "the NICs have no common index of a RoCE v2 address with IPv4, so that none is set: " +
        "bnxt_re0 3, bnxt_re1 3, bnxt_re2 3, bnxt_re3 3, bnxt_re4 3, bnxt_re5 5, bnxt_re6 3",
    );
  });
});

test("8 x H100 with InfiniBand: the storage's NIC is none of the fabric, and nodes do not follow names", async () => {
  const report = await look(h100Host().trees());
  const fabric = ["mlx5_0", "mlx5_1", "mlx5_3", "mlx5_4", "mlx5_6", "mlx5_7", "mlx5_8", "mlx5_9"];
  expect([report.accelerators.length, report.nics.length, active(report)]).toEqual([8, 9, 9]);
  expect(report.fabric).toEqual({ kind: "infiniband", rateGbps: 400, nics: fabric, gidIndex: null });
  expect(near(report)).toEqual(fabric.map((name) => `pix: ${name}`));
  expect([report.warnings, report.problems]).toEqual([[], []]);
  const nodes = Object.fromEntries(report.nics.map((nic) => [nic.name, nic.nodes]));
  expect(nodes).toMatchObject({ mlx5_2: ["infiniband/uverbs8"], mlx5_3: ["infiniband/uverbs2"] });
  expect(report.nics.find(({ name }) => name === "mlx5_2")).toMatchObject({ interface: "ens1f0np0", gidIndex: 3 });
  expect(report.accelerators[7]?.device).toMatchObject({ nodes: ["nvidia7"], numa: 1, driver: "nvidia 550.54.15" });
});

test("8 x H100 with EFA: four NICs for each, and nothing is missing", async () => {
  const report = await look(efaHost().trees());
  expect([report.accelerators.length, report.nics.length, active(report)]).toEqual([8, 32, 32]);
  expect(report.fabric).toMatchObject({ kind: "efa", rateGbps: 100, gidIndex: null });
  expect(report.fabric?.nics).toHaveLength(32);
  expect(near(report)[0]).toBe("pix: rdmap79s0 rdmap80s0 rdmap81s0 rdmap82s0");
  expect(near(report)[7]).toBe("pix: rdmap198s0 rdmap199s0 rdmap200s0 rdmap201s0");
  expect([report.warnings, report.problems]).toEqual([[], []]);
});

test("a host reads the same from a disk, and is what a report can carry", async () => {
  const root = mkdtempSync(join(tmpdir(), "headrace-tree-"));
  const tree = h100Host();
  try {
    tree.write(root);
    const [sys, proc, dev] = ["sys", "proc", "dev"].map((name) => diskTree(join(root, name)));
    const report = await look({ sys, proc, dev } as Trees);
    expect(report).toEqual(await look(tree.trees()));
    const { accelerators, nics, fabric } = inventory.shape;
    expect(accelerators.parse(report.accelerators)).toEqual(report.accelerators);
    expect(nics.parse(report.nics)).toEqual(report.nics);
    expect(fabric.parse(report.fabric)).toEqual(report.fabric);
  } finally {
    rmSync(root, { recursive: true });
  }
}, 30_000);

test("a machine with nothing has nothing, and nothing is wrong with it", async () => {
  expect(await look(new FakeTree().trees())).toEqual({
    accelerators: [],
    nics: [],
    fabric: null,
    problems: [],
    warnings: [],
  });
});
