import { expect, test } from "vitest";
import type { Inventory } from "../wire/index.ts";
import { acceleratorsText, fabricText, hardwareLines } from "./hardware-lines.ts";
import { PlanStage } from "./testing/plan-stage.ts";

const accelerators: Inventory["accelerators"] = [4, 5].map((index) => ({
  index,
  vendor: "amd",
  name: "MI300X",
  memoryGib: 192,
  device: {
    bus: `0000:${index}f:00.0`,
    numa: 1,
    driver: "amdgpu 6.8.5",
    uuid: null,
    nodes: [`dri/renderD${128 + index}`],
    near: index === 4 ? { distance: "pxb", nics: ["bnxt_re4"] } : null,
  },
}));
const nics: Inventory["nics"] = [
  {
    name: "bnxt_re4",
    port: 1,
    bus: "0000:a2:00.0",
    numa: 1,
    driver: "bnxt_en",
    interface: "rdma4",
    state: "active",
    rateGbps: 400,
    linkLayer: "ethernet",
    gidIndex: 3,
    nodes: ["infiniband/uverbs4"],
  },
  {
    name: "mlx5_0",
    port: 2,
    bus: null,
    numa: null,
    driver: null,
    interface: null,
    state: "down",
    rateGbps: 2.5,
    linkLayer: "infiniband",
    gidIndex: null,
    nodes: [],
  },
];
const fabric: Inventory["fabric"] = { kind: "roce", rateGbps: 400, nics: ["bnxt_re4"], gidIndex: 3 };
const problem = { code: "link_down", part: "mlx5_0", accelerators: [5], message: "mlx5_0 port 2 has lost its link" };

test("accelerators and NICs are told with their places", () => {
  expect(hardwareLines({ accelerators, nics })).toEqual([
    "",
    "INDEX  NAME    MEMORY  BUS           NUMA  DRIVER        NEAREST NICS",
    "4      MI300X  192 GB  0000:4f:00.0  1     amdgpu 6.8.5  bnxt_re4 (pxb)",
    "5      MI300X  192 GB  0000:5f:00.0  1     amdgpu 6.8.5  -",
    "",
    "NIC       INTERFACE  LINK    RATE      BUS           NUMA  DRIVER",
    "bnxt_re4  rdma4      active  400 Gb/s  0000:a2:00.0  1     bnxt_en",
    "mlx5_0:2  -          down    2.5 Gb/s  -             -     -",
  ]);
});

test("of a host whose accelerators were declared, or that has none, there is nothing to tell", () => {
  const declared = accelerators.map(({ device: _, ...accelerator }) => accelerator);
  expect(hardwareLines({ accelerators: declared, nics: [] })).toEqual([]);
  expect(acceleratorsText({ accelerators: [] })).toBe("none");
  expect(fabricText({ fabric: null })).toBe("none");
});

test("names from an agent cannot move the cursor", () => {
  const odd = accelerators.map((accelerator) => ({ ...accelerator, name: "MI\u001b[2J" }));
  expect(hardwareLines({ accelerators: odd, nics }).join("")).not.toContain("\u001b");
  expect(acceleratorsText({ accelerators: odd })).not.toContain("\u001b");
});

test("a host that is not well says so in the list and, with all that it has, alone", async () => {
  await using on = await PlanStage.create();
  await on.addHost("h1", { accelerators, nics, fabric, problems: [problem], warnings: ["no swap"] });
  const list = (await on.run("host", "list")).out;
  expect(list).toMatch(/^ID +NAME +FLEET +STATE +ADDRESS +ACCELERATORS +FABRIC +AGENT +JOBS +WRONG$/m);
  expect(list).toMatch(
    /h1 +default +online, not well +10\.0\.0\.1 +2 x MI300X \(192 GB\) +RoCE, 1 x 400 Gb\/s +\S+ +0 +2$/m,
  );
  expect(list).toContain("\n\nproblem: h1: mlx5_0 port 2 has lost its link\nwarning: h1: no swap\n");
  const { out } = await on.run("host", "show", "h1");
  expect(out).toMatch(/^ {2}fabric +RoCE, 1 x 400 Gb\/s$/m);
  expect(out).toMatch(/^ {2}agent +\S+$/m);
  expect(out).toMatch(/^ {2}not well +for \S+: mlx5_0 port 2 has lost its link$/m);
  expect(out).toContain("\nproblem: mlx5_0 port 2 has lost its link\nwarning: no swap\n");
  expect(out).toMatch(/^4 +MI300X +192 GB +0000:4f:00\.0/m);
  const json = JSON.parse((await on.run("host", "list", "--json")).out);
  expect(json[0]).toMatchObject({ problems: [problem], fabric });
  expect(json[0].accelerators[0]).not.toHaveProperty("device");
});

test("a host says where it keeps what, how full that is, and how much of it are models", async () => {
  await using on = await PlanStage.create();
  const data = { path: "/var/lib/headrace", holds: ["data" as const, "models" as const], gib: 1_800 };
  const images = { path: "/docker", holds: ["images" as const], gib: 100, level: "full" as const };
  const modelCache = { path: "/var/lib/headrace/models", gib: 412 };
  await on.addHost("h1", { disks: [{ ...data, level: "low" }, images], modelCache });
  const { out } = await on.run("host", "show", "h1");
  expect(out).toMatch(/^ {2}data, models +\/var\/lib\/headrace, 1800 GB, nearly full$/m);
  expect(out).toMatch(/^ {2}images +\/docker, 100 GB, full$/m);
  expect(out).toMatch(/^ {2}model cache +\/var\/lib\/headrace\/models, 412 GB$/m);
});
