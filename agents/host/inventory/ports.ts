import { readFile } from "node:fs/promises";

/** Ports below are the system's; no job is given one. */
const PORT_MIN = 1024;

/** What a report may carry. A host that listens on more is a gateway of its own kind; the lowest are told. */
const PORTS_MAX = 2_000;

/** State 0A of the kernel's table: listening. */
const LISTENING = "0A";

/** A socket on which something listens. */
export interface Listener {
  port: number;
  /** As `/proc/PID/fd` names it in `socket:[...]`. */
  inode: string;
}

/** Ports of this network namespace on which something listens, lowest first, but for the given ones. */
export async function busyPorts(own: number[]): Promise<number[]> {
  const mine = new Set(own);
  const listeners = await readListeners();
  const others = new Set(listeners.map(({ port }) => port).filter((port) => port >= PORT_MIN && !mine.has(port)));
  return [...others].sort((a, b) => a - b).slice(0, PORTS_MAX);
}

/** Every listening TCP socket of this network namespace. */
export async function readListeners(): Promise<Listener[]> {
  const tables = await Promise.all([readTable("/proc/net/tcp"), readTable("/proc/net/tcp6")]);
  return tables.flatMap(parseListening);
}

/** Reads the listening sockets in `/proc/net/tcp` or `tcp6`. */
export function parseListening(table: string): Listener[] {
  const listeners: Listener[] = [];
  for (const line of table.split("\n").slice(1)) {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    if (state !== LISTENING || local === undefined || inode === undefined) continue;
    listeners.push({ port: Number.parseInt(local.slice(local.lastIndexOf(":") + 1), 16), inode });
  }
  return listeners;
}

/** A kernel without IPv6 has no tcp6. */
async function readTable(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
