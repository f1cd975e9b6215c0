import { expect, test } from "vitest";
import { distance, pair } from "./distance.ts";
import { chainOf, normalAddress, type PciPlace } from "./pci.ts";

const at = (path: string, numa: number | null = null): PciPlace => ({ chain: chainOf(path), numa });

const under = "devices/pci0000:15/0000:15:01.0/0000:16:00.0";

test.each([
  ["under one switch", "pix", at(`${under}/0000:17:02.0/0000:19:00.0`), at(`${under}/0000:17:00.0/0000:18:00.0`)],
  ["two functions of one device", "pix", at(`${under}/0000:17:00.0`), at(`${under}/0000:17:00.1`)],
  [
    "with a bridge inside one",
    "pxb",
    at(`${under}/0000:0a:00.0/0000:0b:00.0/0000:0c:00.0`),
    at(`${under}/0000:0a:01.0/0000:0f:00.0`),
  ],
  [
    "under one root complex",
    "phb",
    at("pci0000:15/0000:15:01.0/0000:19:00.0"),
    at("pci0000:15/0000:15:02.0/0000:20:00.0"),
  ],
  ["on one node", "node", at("pci0000:15/0000:19:00.0", 1), at("pci0000:37/0000:3a:00.0", 1)],
  ["on another node", "sys", at("pci0000:15/0000:19:00.0", 0), at("pci0000:37/0000:3a:00.0", 1)],
  ["on a machine that does not say its nodes", "sys", at("pci0000:15/0000:19:00.0"), at("pci0000:37/0000:3a:00.0")],
  [
    "on the same bus of another domain",
    "sys",
    at("pci0000:15/0000:15:01.0/0000:19:00.0"),
    at("pci0001:15/0001:15:01.0/0001:19:00.0"),
  ],
  ["not on a PCI bus", "sys", at("devices/virtual/net"), at(`${under}/0000:17:00.0`)],
])("%s is %s", (_, expected, a, b) => {
  expect(distance(a, b)).toBe(expected);
  expect(distance(b, a)).toBe(expected);
});

test("two accelerators under one switch begin with different ones of its NICs", () => {
  const gpus = ["02", "03"].map((port) => at(`${under}/0000:17:${port}.0/0000:19:${port}.0`));
  const nics = ["mlx5_0", "mlx5_1"].map((name, i) => ({ name, ...at(`${under}/0000:17:0${i}.0/0000:18:0${i}.0`) }));
  expect(pair(gpus, nics)).toEqual([
    { distance: "pix", nics: ["mlx5_0", "mlx5_1"] },
    { distance: "pix", nics: ["mlx5_1", "mlx5_0"] },
  ]);
  expect(pair(gpus, [])).toEqual([null, null]);
});

test.each([
  ["00000000:3B:00.0", "0000:3b:00.0"],
  ["0000:0C:00.0", "0000:0c:00.0"],
  ["00010000:02:00.0", "00010000:02:00.0"],
  ["3b:00.0", null],
  ["[N/A]", null],
])("the address %s is written %s", (text, expected) => {
  expect(normalAddress(text)).toBe(expected);
});
