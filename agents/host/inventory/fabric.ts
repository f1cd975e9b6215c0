import type { Fabric, Nic } from "../../../src/wire/index.ts";

type Port = Pick<Nic, "name" | "driver" | "linkLayer" | "rateGbps" | "gidIndex">;

/**
 * Chooses the NICs over which accelerators of several hosts reach each other: the largest group of one driver, link
 * layer and rate, which leaves out NICs for storage and management; of groups as large the faster one.
 * @param active the ports that are active, by name
 */
export function chooseFabric(active: Port[]): Fabric | null {
  const groups = new Map<string, Port[]>();
  for (const nic of active) {
    const key = JSON.stringify([nic.driver, nic.linkLayer, nic.rateGbps]);
    groups.set(key, [...(groups.get(key) ?? []), nic]);
  }
  const [largest] = [...groups.values()].sort((a, b) => b.length - a.length || rateOf(b) - rateOf(a));
  const first = largest?.[0];
  if (largest === undefined || first === undefined) return null;
  const kind = kindOf(first);
  return {
    kind,
    rateGbps: first.rateGbps,
    nics: [...new Set(largest.map((nic) => nic.name))],
    gidIndex: kind === "roce" && largest.every((nic) => nic.gidIndex === first.gidIndex) ? first.gidIndex : null,
  };
}

function kindOf({ driver, linkLayer }: Port): Fabric["kind"] {
  if (driver === "efa") return "efa";
  if (linkLayer === "infiniband") return "infiniband";
  return linkLayer === "ethernet" ? "roce" : "other";
}

function rateOf(group: Port[]): number {
  return group[0]?.rateGbps ?? 0;
}
