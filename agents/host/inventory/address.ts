import { readFileSync } from "node:fs";
import { BlockList, isIP, isIPv4 } from "node:net";
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

/**
 * The address for other hosts, by what whoever started the agent said.
 * @param address that is to be it, unless the network says otherwise
 * @param network in which the fleet's hosts talk to each other, e.g. `10.0.0.0/24`
 * @param own the addresses of this machine, `address` among them where it is
 * @returns null where nothing was said
 * @throws Error for people where this machine has no address in that network
 */
export function saidAddress(
  address: string | null,
  network: string | null,
  own: string[] = ownAddresses(),
): string | null {
  if (network === null) return address;
  const found = addressIn(network, address !== null && own.includes(address) ? [address, ...own] : own);
  if (found !== null) return found;
  throw new Error(`this host has no address in the fleet's network ${network}; it has ${own.join(", ") || "none"}`);
}

function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.filter(({ internal }) => !internal).map(({ address }) => address);
}

/**
 * The first of some addresses that is in a network.
 * @param network e.g. `10.0.0.0/24`; bits of a host may be set
 * @returns null when none is there
 * @throws Error for people when that is no network
 */
export function addressIn(network: string, addresses: string[]): string | null {
  const [base = "", bits = ""] = network.split("/");
  const family = isIPv4(base) ? "ipv4" : "ipv6";
  if (isIP(base) === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === "ipv4" ? 32 : 128)) {
    throw new Error(`"${network}" is no network; write it like 10.0.0.0/24`);
  }
  const list = new BlockList();
  list.addSubnet(base, Number(bits), family);
  return addresses.find((address) => isIPv4(address) === (family === "ipv4") && list.check(address, family)) ?? null;
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
