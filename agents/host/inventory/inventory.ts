import { readdirSync, readFileSync } from "node:fs";
import { readFile, statfs } from "node:fs/promises";
import { arch, availableParallelism, totalmem } from "node:os";
import { type Inventory, WARNING_CHARS_MAX, WARNINGS_MAX } from "../../../src/wire/index.ts";
import { findAddress } from "./address.ts";
import { findAmd } from "./amd.ts";
import { type Declaration, isInlineDeclaration, parseDeclarationFile, parseInlineDeclaration } from "./declare.ts";
import { findNvidia } from "./nvidia.ts";

export interface InventoryOptions {
  /** Where the agent keeps its data and its jobs'; its file system is the host's disk. */
  dataDir: string;
  /** The address for other hosts, where the operator gave one. */
  address: string | null;
  declared: Declaration;
  /** What the host's runtimes have to say to an operator. */
  warnings: string[];
}

const BYTES_PER_GIB = 1024 ** 3;

/** RDMA registers accelerator and host memory by the gigabyte; a limit below this is surely the distribution's default. */
const MEMLOCK_BYTES_MIN = BYTES_PER_GIB;

/** What this host has. Takes as long as the vendor's tool does, seconds at worst: collect it now and then. */
export async function collectInventory(options: InventoryOptions): Promise<Inventory> {
  const { declared } = options;
  const found = declared.accelerators === undefined ? await findAccelerators() : null;
  return {
    address: options.address ?? findAddress(),
    arch: declared.arch ?? (arch() === "arm64" ? "arm" : "x86"),
    // Counts what we may run on: affinity and a cgroup's quota are taken off.
    cpus: declared.cpus ?? availableParallelism(),
    memoryGib: declared.memoryGib ?? roundDown(memoryBytes() / BYTES_PER_GIB),
    diskGib: declared.diskGib ?? roundDown((await diskBytes(options.dataDir)) / BYTES_PER_GIB),
    accelerators: declared.accelerators ?? found?.accelerators ?? [],
    runtimes: ["process"],
    warnings: [...options.warnings, ...(found?.warnings ?? []), ...memlockWarnings()]
      .slice(0, WARNINGS_MAX)
      .map((warning) => warning.slice(0, WARNING_CHARS_MAX)),
    interface: null,
    nics: [],
    fabric: null,
    problems: [],
  };
}

/**
 * Reads the value of `--declare`: a declaration, or the name of a file with one.
 * @throws Error for people
 */
export async function readDeclaration(value: string): Promise<Declaration> {
  if (isInlineDeclaration(value)) return parseInlineDeclaration(value);
  const text = await readFile(value, "utf8").catch((error: Error) => {
    throw new Error(`cannot read the declaration "${value}": ${error.message}; name a file, or write cpu=...,gpu=...`);
  });
  try {
    return parseDeclarationFile(text);
  } catch (error) {
    throw new Error(`${value}: ${(error as Error).message}`);
  }
}

async function findAccelerators(): Promise<Pick<Inventory, "accelerators" | "warnings">> {
  const nvidia = await findNvidia();
  const amd = findAmd("/sys");
  if (nvidia.accelerators.length === 0) return { accelerators: amd, warnings: nvidia.warnings };
  if (amd.length === 0) return nvidia;
  // The vendors number their devices apart, and an index must name one device.
  return {
    ...nvidia,
    warnings: [...nvidia.warnings, "this host has NVIDIA and AMD accelerators; only NVIDIA's are offered"],
  };
}

/** A cgroup's limit counts where it is lower; 0 or a huge number stand for none. */
function memoryBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

async function diskBytes(folder: string): Promise<number> {
  const { blocks, bsize } = await statfs(folder);
  return blocks * bsize;
}

/** Jobs inherit the agent's limit on locked memory, and RDMA cannot register memory beyond it. */
function memlockWarnings(): string[] {
  if (listFolder("/sys/class/infiniband").length === 0) return [];
  const limit = parseMemlockLimit(readFileSync("/proc/self/limits", "utf8"));
  if (limit === null || limit >= MEMLOCK_BYTES_MIN) return [];
  return [
    `this host has RDMA devices, but its jobs may lock only ${Math.floor(limit / 1024)} KiB of memory; ` +
      "raise the agent's limit (LimitMEMLOCK=infinity in its systemd unit, or `ulimit -l unlimited`)",
  ];
}

/** The soft limit in bytes in `/proc/PID/limits`; null for none. */
export function parseMemlockLimit(limits: string): number | null {
  const match = /^Max locked memory\s+(\d+)\s/m.exec(limits);
  return match === null ? null : Number(match[1]);
}

function listFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** One decimal, never more than there is. */
function roundDown(value: number): number {
  return Math.floor(value * 10) / 10;
}
