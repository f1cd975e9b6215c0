import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type AcceleratorReading, plainName } from "./found.ts";
import { memoryAsSold, shortName } from "./models.ts";
import { normalAddress } from "./pci.ts";
import { wholeNumber } from "./tree.ts";

const run = promisify(execFile);

/** Without a persistence daemon the driver starts with the query, some seconds for each of eight devices. */
const QUERY_MS_MAX = 30_000;

/** 1,024 lines of at most 200 bytes. */
const OUTPUT_BYTES_MAX = 256 * 1024;

const FIELDS = ["index", "name", "memory.total", "uuid", "pci.bus_id", "driver_version"];

const READING_FIELDS = [
  "pci.bus_id",
  "ecc.errors.uncorrected.volatile.total",
  "clocks_throttle_reasons.hw_thermal_slowdown",
];

/** The answer of the tool: its lines, that it is not there, or why there is none. */
type SmiAnswer = { kind: "lines"; lines: string[][] } | { kind: "absent" } | { kind: "failed"; reason: string };

/** An accelerator as the tool tells it. */
export interface SmiAccelerator {
  bus: string;
  name: string;
  memoryGib: number;
  uuid: string | null;
  driverVersion: string | null;
}

/** Asks the vendor's tool for some fields of each accelerator. Takes seconds at worst, and starts a process. */
async function askNvidiaSmi(program: string, fields: readonly string[]): Promise<SmiAnswer> {
  try {
    const { stdout } = await run(program, [`--query-gpu=${fields.join(",")}`, "--format=csv,noheader,nounits"], {
      timeout: QUERY_MS_MAX,
      maxBuffer: OUTPUT_BYTES_MAX,
    });
    return { kind: "lines", lines: splitLines(stdout) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { kind: "absent" };
    const stdout = (error as { stdout?: string }).stdout?.trim() ?? "";
    // Where one of several is lost it tells of the others, and ends with an error.
    const lines = splitLines(stdout);
    if (lines.some((line) => line.length === fields.length)) return { kind: "lines", lines };
    return { kind: "failed", reason: stdout || (error as Error).message.trim() };
  }
}

function splitLines(stdout: string): string[][] {
  const lines = stdout.split("\n").filter((line) => line.trim() !== "");
  return lines.map((line) => line.split(",").map((field) => field.trim()));
}

export const askAccelerators = (program: string) => askNvidiaSmi(program, FIELDS);
export const askReadings = (program: string) => askNvidiaSmi(program, READING_FIELDS);

/**
 * Reads the accelerators in an answer of `askAccelerators`: memory in MiB, or `[N/A]` where it is shared with the CPU,
 * which counts as 0. A line that does not read costs that accelerator, not the others.
 */
export function parseAccelerators(lines: string[][]): { accelerators: SmiAccelerator[]; warnings: string[] } {
  const accelerators: SmiAccelerator[] = [];
  const warnings: string[] = [];
  for (const line of lines) {
    const [index = "", product = "", memory = "", uuid = "", busId = "", version = ""] = line;
    const bus = normalAddress(busId);
    if (line.length !== FIELDS.length || wholeNumber(index) === null || product === "" || bus === null) {
      const said = line.join(", ").slice(0, 200);
      warnings.push(`nvidia-smi said "${said}", which is not an accelerator`);
      continue;
    }
    const name = plainName(shortName(product));
    const memoryGib = memoryAsSold(name, (wholeNumber(memory) ?? 0) / 1024);
    if (memoryGib === 0) warnings.push(`the memory of accelerator ${bus} (${name}) is not known; counted as 0`);
    accelerators.push({ bus, name, memoryGib, uuid: known(uuid), driverVersion: known(version) });
  }
  return { accelerators, warnings };
}

/** Reads an answer of `askReadings`, by PCI address. One that is lost is not among them, or its line does not read. */
export function parseReadings(lines: string[][]): Map<string, AcceleratorReading> {
  const readings = new Map<string, AcceleratorReading>();
  for (const [busId = "", errors = "", slowed = ""] of lines) {
    const bus = normalAddress(busId);
    if (bus === null) continue;
    const heat = slowed === "Active" ? "hot" : slowed === "Not Active" ? "cool" : null;
    readings.set(bus, { present: true, uncorrected: wholeNumber(errors), heat });
  }
  return readings;
}

/** `[N/A]` and its like stand for nothing. */
function known(text: string): string | null {
  return text === "" || text.startsWith("[") ? null : plainName(text);
}
