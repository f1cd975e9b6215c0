import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Accelerator } from "../../../src/wire/index.ts";
import { memoryAsSold, shortName } from "./models.ts";

const run = promisify(execFile);

/** Without a persistence daemon the driver starts with the query, some seconds for each of eight devices. */
const QUERY_MS_MAX = 30_000;

/** 1,024 lines of at most 200 bytes. */
const OUTPUT_BYTES_MAX = 256 * 1024;

const FIELDS = "index,name,memory.total";

/** What was found, and what an operator should know of what was not. */
export interface AcceleratorsFound {
  accelerators: Accelerator[];
  warnings: string[];
}

/** Asks `nvidia-smi`. A host without the tool has no NVIDIA accelerators that a job could use. */
export async function findNvidia(): Promise<AcceleratorsFound> {
  try {
    const { stdout } = await run("nvidia-smi", [`--query-gpu=${FIELDS}`, "--format=csv,noheader,nounits"], {
      timeout: QUERY_MS_MAX,
      maxBuffer: OUTPUT_BYTES_MAX,
    });
    return parseNvidiaSmi(stdout);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { accelerators: [], warnings: [] };
    const said = (error as { stdout?: string }).stdout?.trim() || (error as Error).message.trim();
    return {
      accelerators: [],
      warnings: [`nvidia-smi does not answer, so no NVIDIA accelerators are offered: ${said}`],
    };
  }
}

/**
 * Reads `index, name, memory.total` lines; memory in MiB, or `[N/A]` where it is shared with the CPU, which counts as 0.
 * A line that does not read costs that accelerator, not the others.
 */
export function parseNvidiaSmi(csv: string): AcceleratorsFound {
  const found: AcceleratorsFound = { accelerators: [], warnings: [] };
  for (const line of csv.split("\n").filter((text) => text.trim() !== "")) {
    const match = /^\s*(\d+)\s*,\s*(.+?)\s*,\s*(\d+|\[[^\]]*\])\s*$/.exec(line);
    if (match === null) {
      found.warnings.push(`nvidia-smi said "${line.trim().slice(0, 200)}", which is not an accelerator`);
      continue;
    }
    const name = shortName(match[2] ?? "");
    const mebibytes = Number(match[3]);
    const memoryGib = Number.isNaN(mebibytes) ? 0 : memoryAsSold(name, mebibytes / 1024);
    if (memoryGib === 0)
      found.warnings.push(`the memory of accelerator ${match[1]} (${name}) is not known; counted as 0`);
    found.accelerators.push({ index: Number(match[1]), vendor: "nvidia", name, memoryGib });
  }
  return found;
}
