import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { inventory } from "../../../src/wire/index.ts";
import { efaHost } from "../../../test/support/fake-sysfs/efa.ts";
import { h100Host } from "../../../test/support/fake-sysfs/h100.ts";
import { mi300xHost } from "../../../test/support/fake-sysfs/mi300x.ts";
import { defaultInterface } from "./address.ts";
import { collectInventory, parseMemlockLimit, readDeclaration } from "./inventory.ts";
import { readMachineId } from "./machine.ts";
import { busyPorts, parseListening } from "./ports.ts";
import { diskTree, type Trees } from "./tree.ts";
import { HardwareWatch } from "./watch.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "headrace-host-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** What there is to read on this machine, or on another one. */
function optionsOf(trees: Trees) {
  const file = join(folder, "hardware.json");
  const hardware = new HardwareWatch({ trees, nvidiaSmi: null, file, bootId: "b1", log: () => undefined });
  return {
    dataDir: folder,
    address: "10.1.2.3",
    declared: {},
    hardware,
    proc: trees.proc,
    runtimes: ["process" as const],
    warnings: [],
    disks: [],
    modelCache: null,
  };
}

test("this host is found, in the shape that a report carries", async () => {
  const trees = { sys: diskTree("/sys"), proc: diskTree("/proc"), dev: diskTree("/dev") };
  const found = await collectInventory({ ...optionsOf(trees), warnings: ["careful"] });
  expect(inventory.parse(found)).toEqual(found);
  expect(found.cpus).toBeGreaterThan(0);
  expect(found.memoryGib).toBeGreaterThan(0);
  expect(found.diskGib).toBeGreaterThan(0);
  expect(found).toMatchObject({ runtimes: ["process"], warnings: expect.arrayContaining(["careful"]) });
});

test("what is declared stands over what is found", async () => {
  const file = join(folder, "host.yml");
  writeFileSync(file, "cpus: 3\naccelerators:\n  - {name: H200, count: 1}\n");
  const declared = await readDeclaration(file);
  const found = await collectInventory({ ...optionsOf(h100Host().trees()), declared });
  expect(found).toMatchObject({ address: "10.1.2.3", cpus: 3, accelerators: [{ index: 0, name: "H200" }] });
  expect(found.diskGib).toBeGreaterThan(0);
  expect(found.fabric?.kind).toBe("infiniband");
});

test.each([
  ["eno1", mi300xHost()],
  ["eno12399np0", h100Host()],
  ["enp71s0", efaHost()],
])("others reach a host by its default route's interface, %s, and all of it fits a report", async (name, tree) => {
  const found = await collectInventory(optionsOf(tree.trees()));
  expect(found.interface).toBe(name);
  expect(found.accelerators).toHaveLength(8);
  expect(inventory.parse(found)).toEqual(found);
});

test("a declaration that cannot be read, or is wrong, names its file", async () => {
  const file = join(folder, "host.yml");
  await expect(readDeclaration(file)).rejects.toThrow(`cannot read the declaration "${file}"`);
  writeFileSync(file, "cpus: many");
  await expect(readDeclaration(file)).rejects.toThrow(`${file}: the declaration is wrong: cpus: `);
});

const head = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT";
const route = (name: string, destination: string, metric: number, mask = "00000000") =>
  `${name}\t${destination}\t0101A8C0\t0003\t0\t0\t${metric}\t${mask}\t0\t0\t0`;

test("the default route with the lowest metric decides the interface", () => {
  const lan = route("eth0", "0001A8C0", 0, "00FFFFFF");
  const half = route("tun0", "00000000", 0, "00000080");
  expect(
    defaultInterface([head, lan, half, route("wlan0", "00000000", 600), route("eth0", "00000000", 100)].join("\n")),
  ).toBe("eth0");
  expect(defaultInterface([head, lan, ""].join("\n"))).toBeNull();
  expect(defaultInterface("")).toBeNull();
});

const socket = (at: number, local: string, state: string) =>
  `   ${at}: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 12345 1`;

test("listening sockets are told from connections, in both tables", () => {
  const tcp = [
    "  sl  local_address rem_address   st",
    socket(0, "0100007F:1F40", "0A"),
    socket(1, "0100007F:1F41", "01"),
    "",
  ];
  const tcp6 = ["  sl  local_address", socket(0, "00000000000000000000000000000000:0BB8", "0A"), ""];
  expect(parseListening(tcp.join("\n"))).toEqual([{ port: 8000, inode: "12345" }]);
  expect(parseListening(tcp6.join("\n"))).toEqual([{ port: 3000, inode: "12345" }]);
});

test("a port that something else listens on is busy; our own are not", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  expect(await busyPorts([])).toContain(port);
  expect(await busyPorts([port])).not.toContain(port);
  await new Promise((resolve) => server.close(resolve));
  expect(await busyPorts([])).not.toContain(port);
});

test("a machine keeps its id, and another data folder is another machine", () => {
  const id = readMachineId(join(folder, "a"));
  expect(readMachineId(join(folder, "a"))).toBe(id);
  expect(readMachineId(join(folder, "b"))).not.toBe(id);
  expect(id.length).toBeLessThanOrEqual(200);
  expect(statSync(join(folder, "a/machine")).mode & 0o777).toBe(0o600);
  expect(id.startsWith(readFileSync(join(folder, "a/machine"), "utf8").trim())).toBe(true);
});

test("the limit of locked memory is read in bytes, none as none", () => {
  const limits = (value: string) =>
    `Limit                     Soft Limit           Hard Limit           Units\nMax locked memory         ${value} unlimited            bytes\nMax processes  1 1 x`;
  expect(parseMemlockLimit(limits("8388608             "))).toBe(8388608);
  expect(parseMemlockLimit(limits("unlimited           "))).toBeNull();
});
