import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";

/**
 * The address at which other hosts reach this one, when nobody says: that of the default route's interface. A host
 * without a default route is on its own, and the loopback address is right for what runs on it.
 */
export function findAddress(): string {
  const name = defaultInterface(readRoutes());
  const addresses = name === null ? [] : (networkInterfaces()[name] ?? []);
  return addresses.find((address) => address.family === "IPv4" && !address.internal)?.address ?? "127.0.0.1";
}

/** The interface of the default route with the lowest metric in `/proc/net/route`. */
export function defaultInterface(routes: string): string | null {
  const defaults = routes
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([name, destination, , , , , , mask]) => name && destination === "00000000" && mask === "00000000")
    .map((fields) => ({ name: fields[0] ?? "", metric: Number(fields[6]) }))
    .sort((a, b) => a.metric - b.metric);
  return defaults[0]?.name ?? null;
}

function readRoutes(): string {
  try {
    return readFileSync("/proc/net/route", "latin1");
  } catch {
    return "";
  }
}
