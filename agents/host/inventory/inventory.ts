import { readFile } from "node:fs/promises";
import { arch, availableParallelism, networkInterfaces, totalmem } from "node:os";
import { type Inventory, WARNING_CHARS_MAX, WARNINGS_MAX } from "../../../src/wire/index.ts";
import { ownLooks } from "../path-looks.ts";
import { defaultInterface } from "./address.ts";
import { type Declaration, isInlineDeclaration, parseDeclarationFile, parseInlineDeclaration } from "./declare.ts";
import { diskAt, diskWarning } from "./disks.ts";
import { BYTES_PER_GIB } from "./found.ts";
import type { Tree } from "./tree.ts";
import type { HardwareWatch } from "./watch.ts";

export interface InventoryOptions {
  /** Where the agent keeps its data and its jobs'; its file system is the host's disk. */
  dataDir: string;
  /** The address for other hosts. */
  address: string;
  declared: Declaration;
  hardware: Pick<HardwareWatch, "current">;
  proc: Tree;
  /** With which jobs can be run now. */
  runtimes: Inventory["runtimes"];
  /** What the host's runtimes have to say to an operator. */
  warnings: string[];
  /** How much room there is where the host keeps things. */
  disks: Inventory["disks"];
  modelCache: Inventory["modelCache"];
}

/** RDMA registers accelerator and host memory by the gigabyte; a limit below this is surely the distribution's default. */
const MEMLOCK_BYTES_MIN = BYTES_PER_GIB;

/** Without the agent's own folder there is nothing to report: it is given longer than others. */
const DATA_MS_MAX = 5_000;

/** What this host has. Takes long the first time alone, when its accelerators and NICs are looked for. */
export async function collectInventory(options: InventoryOptions): Promise<Inventory> {
  const { declared, proc, address } = options;
  const found = await options.hardware.current();
  return {
    address,
    arch: declared.arch ?? (arch() === "arm64" ? "arm" : "x86"),
    // Counts what we may run on: affinity and a cgroup's quota are taken off.
    cpus: declared.cpus ?? availableParallelism(),
    memoryGib: declared.memoryGib ?? roundDown(memoryBytes() / BYTES_PER_GIB),
    diskGib:
      declared.diskGib ?? roundDown((await diskAt(options.dataDir, ownLooks, DATA_MS_MAX)).bytes / BYTES_PER_GIB),
    accelerators: declared.accelerators ?? found.accelerators,
    runtimes: options.runtimes,
    warnings: [
      ...options.warnings,
      ...options.disks.map(diskWarning).filter((warning) => warning !== null),
      ...found.warnings,
      ...(found.nics.length > 0 ? await memlockWarnings() : []),
    ]
      .slice(0, WARNINGS_MAX)
      .map((warning) => warning.slice(0, WARNING_CHARS_MAX)),
    interface: interfaceOf(address) ?? defaultInterface((await proc.read("net/route")) ?? ""),
    nics: found.nics,
    fabric: found.fabric,
    // Those of accelerators are told by their index, which is another one among declared ones.
    problems: declared.accelerators === undefined ? found.problems : [],
    disks: options.disks,
    modelCache: options.modelCache,
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
    return await parseDeclarationFile(text);
  } catch (error) {
    throw new Error(`${value}: ${(error as Error).message}`);
  }
}

/** The interface of this machine that has an address; null for none, and for the one that others cannot reach. */
function interfaceOf(address: string): string | null {
  const all = Object.entries(networkInterfaces());
  const having = all.find(([, addresses]) => addresses?.some((one) => one.address === address && !one.internal));
  return having?.[0] ?? null;
}

/** A cgroup's limit counts where it is lower; 0 or a huge number stand for none. */
function memoryBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** Jobs inherit the agent's limit on locked memory, and RDMA cannot register memory beyond it. */
async function memlockWarnings(): Promise<string[]> {
  const limit = parseMemlockLimit(await readFile("/proc/self/limits", "utf8"));
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

/** One decimal, never more than there is. */
function roundDown(value: number): number {
  return Math.floor(value * 10) / 10;
}
