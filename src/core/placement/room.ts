import type { HostDisk } from "../../wire/index.ts";
import type { HostEntity, JobEntity } from "../state.ts";

/**
 * Why nothing new is started on a host that has no room for it: an image would not fit, and neither would what a job
 * writes. What runs there goes on, and the host is not cordoned: with a full disk of the engine's processes can still be
 * started, and somebody who makes room need not wait for a cordon to end.
 * @returns null where there is room, as far as is known
 */
export function whyNoRoom({ inventory }: HostEntity, runtime: JobEntity["runtime"]): string | null {
  const disk = inventory.disks.find(({ level, holds }) => level === "full" && concerns(holds, runtime));
  if (disk === undefined) return null;
  return `the disk of ${disk.path} is full (\`headrace host show\` says what is on it)`;
}

/** The disks of a host on which there is little room for a job. */
export function nearlyFull({ inventory }: HostEntity, runtime: JobEntity["runtime"]): HostDisk[] {
  return inventory.disks.filter(({ level, holds }) => level !== "ok" && concerns(holds, runtime));
}

/** Every job has a folder and a log among the agent's data; a model can be kept elsewhere, and need not be loaded. */
function concerns(holds: HostDisk["holds"], runtime: JobEntity["runtime"]): boolean {
  return holds.includes("data") || (runtime === "docker" && holds.includes("images"));
}
