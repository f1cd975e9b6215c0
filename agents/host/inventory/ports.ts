import { readFile } from "node:fs/promises";

/** Ports below are the system's; no job is given one. */
const PORT_MIN = 1024;

/** What a report may carry. A host that listens on more is a gateway of its own kind; the lowest are told. */
const PORTS_MAX = 2_000;

/** State 0A of the kernel's table: listening. */
const LISTENING = "0A";

/** Ports of this network namespace on which something listens, lowest first, but for the given ones. */
export async function busyPorts(own: number[]): Promise<number[]> {
  const tables = await Promise.all([readTable("/proc/net/tcp"), readTable("/proc/net/tcp6")]);
  const mine = new Set(own);
  const others = new Set(tables.flatMap(parseListening).filter((port) => port >= PORT_MIN && !mine.has(port)));
  return [...others].sort((a, b) => a - b).slice(0, PORTS_MAX);
}

/** Reads the local ports of the listening sockets in `/proc/net/tcp` or `tcp6`. */
export function parseListening(table: string): number[] {
  const ports: number[] = [];
  for (const line of table.split("\n").slice(1)) {
    const [, local, , state] = line.trim().split(/\s+/);
    if (state !== LISTENING || local === undefined) continue;
    ports.push(Number.parseInt(local.slice(local.lastIndexOf(":") + 1), 16));
  }
  return ports;
}

/** A kernel without IPv6 has no tcp6. */
async function readTable(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
