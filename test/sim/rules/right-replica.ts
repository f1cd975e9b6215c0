import type { Process } from "../process.ts";

/** The process that gets a request belongs to the replica that the request names. */
export function rightReplica(process: Process, replica: string): string | null {
  return process.replica === replica ? null : `a request for ${replica} reached ${process.replica}`;
}
