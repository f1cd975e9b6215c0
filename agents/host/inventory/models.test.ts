import { expect, test } from "vitest";
import { memoryAsSold, shortName } from "./models.ts";

test.each([
  ["NVIDIA H100 80GB HBM3", "H100"],
  ["NVIDIA H200", "H200"],
  ["NVIDIA A100-SXM4-80GB", "A100"],
  ["NVIDIA A10G", "A10G"],
  ["NVIDIA GH200 480GB", "GH200"],
  ["NVIDIA L40S", "L40S"],
  ["Tesla V100-SXM2-16GB", "V100"],
  ["NVIDIA GeForce RTX 4090", "RTX4090"],
  ["AMD Instinct MI300X", "MI300X"],
  ["NVIDIA Q77 Max", "Q77Max"],
])("%s is called %s", (product, name) => {
  expect(shortName(product)).toBe(name);
});

test.each([
  ["H100", 81559 / 1024, 80],
  ["H100", 95830 / 1024, 94],
  ["H200", 143771 / 1024, 141],
  ["B200", 183359 / 1024, 180],
  ["L4", 23034 / 1024, 24],
  ["L40S", 46068 / 1024, 48],
  ["A10G", 22731 / 1024, 24],
  ["A100", 40960 / 1024, 40],
  ["MI300X", 206141652992 / 1024 ** 3, 192],
  ["Q77Max", 81559 / 1024, 79.6],
  ["H100", 30, 30],
])("%s with %d GiB measured is sold with %d", (name, measured, sold) => {
  expect(memoryAsSold(name, measured)).toBe(sold);
});
