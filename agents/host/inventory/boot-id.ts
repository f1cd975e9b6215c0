import { readFileSync } from "node:fs";

/** Names this boot of the machine: what is on record of processes of another boot means nothing. */
export function readBootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
}
