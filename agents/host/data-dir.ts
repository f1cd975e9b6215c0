import { homedir } from "node:os";
import { join } from "node:path";

/** Where an agent keeps its state unless it is told: root's belongs to the machine, another user's to that user. */
export function defaultDataDir(): string {
  return process.getuid?.() === 0 ? "/var/lib/headrace" : join(homedir(), ".local/share/headrace/agent");
}
