import type { HostDetailView, HostView } from "../control/views/views.ts";
import { oneLine } from "./style.ts";
import { table } from "./table.ts";

type Kind = NonNullable<HostView["fabric"]>["kind"];

const FABRICS: Record<Kind, string> = { infiniband: "InfiniBand", roce: "RoCE", efa: "EFA", other: "RDMA" };

/** `8 x MI300X (192 GB)`, by kinds; `none`. */
export function acceleratorsText({ accelerators }: Pick<HostView, "accelerators">): string {
  const counts = new Map<string, number>();
  for (const { name, memoryGib } of accelerators) {
    const kind = `${oneLine(name)} (${gigabytes(memoryGib)})`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].map(([kind, count]) => `${count} x ${kind}`).join(", ") || "none";
}

/** `RoCE, 7 x 400 Gb/s`; `none`. */
export function fabricText({ fabric }: Pick<HostView, "fabric">): string {
  return fabric === null ? "none" : `${FABRICS[fabric.kind]}, ${fabric.nics.length} x ${fabric.rateGbps} Gb/s`;
}

/** A host's accelerators with the NICs nearest to them, and its NICs; nothing of what was declared to its agent. */
export function hardwareLines(host: Pick<HostDetailView, "accelerators" | "nics">): string[] {
  const accelerators = acceleratorRows(host);
  const nics = nicRows(host);
  return [
    ...(accelerators.length === 0
      ? []
      : ["", ...table([["INDEX", "NAME", "MEMORY", "BUS", "NUMA", "DRIVER", "NEAREST NICS"], ...accelerators])]),
    ...(nics.length === 0
      ? []
      : ["", ...table([["NIC", "INTERFACE", "LINK", "RATE", "BUS", "NUMA", "DRIVER"], ...nics])]),
  ];
}

function acceleratorRows({ accelerators }: Pick<HostDetailView, "accelerators">): string[][] {
  return accelerators.flatMap(({ index, name, memoryGib, device }) => {
    if (device === undefined) return [];
    const { bus, numa, driver, near } = device;
    const nics = near === null ? "-" : `${near.nics.map(oneLine).join(" ")} (${near.distance})`;
    const row = [String(index), oneLine(name), gigabytes(memoryGib), bus, String(numa ?? "-"), oneLine(driver ?? "-")];
    return [[...row, nics]];
  });
}

function nicRows({ nics }: Pick<HostDetailView, "nics">): string[][] {
  return nics.map((nic) => [
    oneLine(nic.port === 1 ? nic.name : `${nic.name}:${nic.port}`),
    oneLine(nic.interface ?? "-"),
    nic.state,
    `${nic.rateGbps} Gb/s`,
    nic.bus ?? "-",
    String(nic.numa ?? "-"),
    oneLine(nic.driver ?? "-"),
  ]);
}

export function gigabytes(value: number): string {
  return `${Math.round(value * 10) / 10} GB`;
}
