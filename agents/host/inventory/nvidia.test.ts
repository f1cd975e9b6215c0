import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { h100Host } from "../../../test/support/fake-sysfs/h100.ts";
import { findNvidia, readNvidia } from "./nvidia.ts";
import { parseAccelerators } from "./nvidia-smi.ts";
import { listAccelerators } from "./pci.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "headrace-smi-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** A program that answers as `nvidia-smi` would. */
function tool(output: string, exitCode = 0): string {
  const path = join(folder, "nvidia-smi");
  writeFileSync(path, `#!/bin/sh\ncat <<'END'\n${output}\nEND\nexit ${exitCode}\n`);
  chmodSync(path, 0o755);
  return path;
}

async function found(program: string | null, tree = h100Host()) {
  return findNvidia(tree.trees(), program, await listAccelerators(tree.trees().sys));
}

const line = (index: number, bus: string, name = "NVIDIA H200") =>
  `${index}, ${name}, 143771, GPU-0${index}, 0000${bus}, 560.28`;

test("its lines are read one by one, and a strange one costs only itself", () => {
  const fields = (text: string) => text.split(",").map((field) => field.trim());
  const lines = [
    "0, NVIDIA H100 80GB HBM3, 81559, GPU-a, 00000000:19:00.0, 550.54",
    "1, NVIDIA GB10, [N/A], [N/A], 00000000:3B:00.0, 550.54",
    "Unable to determine the device handle",
    "3, NVIDIA H200, 143771, GPU-c, 0001:02:00.0, [N/A]",
  ].map(fields);
  expect(parseAccelerators(lines)).toEqual({
    accelerators: [
      { bus: "0000:19:00.0", name: "H100", memoryGib: 80, uuid: "GPU-a", driverVersion: "550.54" },
      { bus: "0000:3b:00.0", name: "GB10", memoryGib: 0, uuid: null, driverVersion: "550.54" },
      { bus: "0001:02:00.0", name: "H200", memoryGib: 141, uuid: "GPU-c", driverVersion: null },
    ],
    warnings: [
      "the memory of accelerator 0000:3b:00.0 (GB10) is not known; counted as 0",
      'nvidia-smi said "Unable to determine the device handle", which is not an accelerator',
    ],
  });
});

test("what the tool says stands over what the driver says, and joins it by the PCI address", async () => {
  const { accelerators, warnings } = await found(tool([line(0, "0000:19:00.0"), line(1, "0000:3B:00.0")].join("\n")));
  expect(accelerators).toMatchObject([
    { bus: "0000:19:00.0", name: "H200", memoryGib: 141, numa: 0, driver: "nvidia 560.28", nodes: ["nvidia0"] },
    { bus: "0000:3b:00.0", uuid: "GPU-01", nodes: ["nvidia1"] },
  ]);
  expect(warnings).toHaveLength(6);
  expect(warnings[0]).toBe("the NVIDIA device at 0000:4c:00.0 does not answer; it is not offered");
});

test("one that is lost costs the others nothing, though the tool ends with an error", async () => {
  const said = `${line(0, "0000:19:00.0")}\nUnable to determine the device handle for GPU1: 0000:3B:00.0: GPU is lost.`;
  expect((await found(tool(said, 15))).accelerators.map(({ bus }) => bus)).toEqual(["0000:19:00.0"]);
});

test("a tool that does not answer means that no job could use them", async () => {
  const failed = await found(tool("Failed to initialize NVML: Driver/library version mismatch", 18));
  expect(failed).toEqual({
    accelerators: [],
    warnings: [
      "nvidia-smi does not answer, so no NVIDIA accelerators are offered: " +
        "Failed to initialize NVML: Driver/library version mismatch",
    ],
  });
});

test("without the tool the driver's folder tells them, one without a driver is named", async () => {
  const tree = h100Host();
  tree.remove("proc/driver/nvidia/gpus/0000:3b:00.0");
  const { accelerators, warnings } = await found(join(folder, "nothing"), tree);
  expect(accelerators).toHaveLength(7);
  expect(accelerators[0]).toMatchObject({ name: "H100", memoryGib: 80, driver: "nvidia 550.54.15" });
  expect(warnings).toEqual([
    "the NVIDIA device at 0000:3b:00.0 is served by no driver that jobs could use; it is not offered",
  ]);
});

test("readings tell errors and heat; a tool that does not know the fields says nothing", async () => {
  const lines = ["00000000:19:00.0, 0, Not Active", "00000000:3B:00.0, 4, Active", "00000000:4C:00.0, [N/A], [N/A]"];
  expect(await readNvidia(tool(lines.join("\n")))).toEqual(
    new Map([
      ["0000:19:00.0", { present: true, uncorrected: 0, heat: "cool" }],
      ["0000:3b:00.0", { present: true, uncorrected: 4, heat: "hot" }],
      ["0000:4c:00.0", { present: true, uncorrected: null, heat: null }],
    ]),
  );
  expect(await readNvidia(tool('Field "clocks_throttle_reasons.hw" is not a valid field to query.', 2))).toBeNull();
  expect(await readNvidia(null)).toBeNull();
  expect(await readNvidia(tool("Failed to initialize NVML", 18))).toEqual(new Map());
});
