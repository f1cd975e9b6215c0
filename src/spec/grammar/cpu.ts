import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";
import type { Range, ResourcesSpec } from "../types.ts";
import { readInteger } from "./number.ts";
import { readRange } from "./range.ts";

export type CpuArch = "x86" | "arm";

/** The words for each architecture, in lower case. */
const archWords: Record<string, CpuArch> = {
  x86: "x86",
  x86_64: "x86",
  amd64: "x86",
  arm: "arm",
  arm64: "arm",
  aarch64: "arm",
};

/** More than any machine has; keeps a slip such as a memory size in bytes out. */
const MAX_CPUS = 65_536;

/** What a group gets that says nothing, or only the architecture. */
export const defaultCpuCount: Range = { min: 2, max: null };

/** A count, an architecture, or both in any order: `4`, `8..`, `arm`, `arm:4..8`, `4:arm`. */
export function readCpu(written: string | number): Result<ResourcesSpec["cpu"]> {
  let arch: CpuArch | null = null;
  let count: Range | null = null;
  for (const token of typeof written === "number" ? [written] : written.replace(/\s+/g, "").split(":")) {
    if (token === "") return bad(`${quote(written)} has an empty part; write for example \`4..8\` or \`arm:4..8\`.`);
    const word = archWords[String(token).toLowerCase()];
    if (word !== undefined) {
      if (arch !== null) return bad(`${quote(written)} names two architectures; keep one.`);
      arch = word;
      continue;
    }
    if (count !== null) return bad(`${quote(written)} has two counts; keep one, for example \`arm:4..8\`.`);
    const read = readRange(token, readCpuCount);
    if (!read.ok) return read;
    count = read.value;
  }
  return good({ arch, count: count ?? defaultCpuCount });
}

export function readCpuCount(written: string | number): Result<number> {
  return readInteger(written, "write a number of CPUs, for example `4`, `4..8` or `arm:8..`", 0, MAX_CPUS);
}

export function readArch(written: string | number): Result<CpuArch> {
  const arch = archWords[String(written).toLowerCase()];
  return arch === undefined ? bad(`${quote(written)} is no CPU architecture; write \`x86\` or \`arm\`.`) : good(arch);
}
