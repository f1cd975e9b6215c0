import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readBootId } from "./inventory/boot-id.ts";
import { identify, isAlive } from "./runtime/process/proc.ts";

interface Holder {
  pid: number;
  startTicks: number;
  bootId: string;
}

/**
 * Makes sure that one agent works in a data folder: two would start every job twice.
 * @returns what gives the folder free again
 * @throws Error for people when another agent works there
 */
export async function lockDataDir(dataDir: string): Promise<() => Promise<void>> {
  const path = join(dataDir, "agent.lock");
  const self: Holder = { ...identify(process.pid)!, bootId: readBootId() };
  // The second try finds no file of a dead agent any more; if it does find one, another agent was just faster.
  for (const last of [false, true]) {
    try {
      await writeFile(path, JSON.stringify(self), { flag: "wx", mode: 0o600 });
      return () => rm(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const holder = await readHolder(path);
      const lives = holder !== null && holder.bootId === self.bootId && isAlive(holder);
      if (lives || last) {
        throw new Error(
          `Another agent${holder === null ? "" : ` (process ${holder.pid})`} works in ${dataDir}. ` +
            "Stop it, or give this one a data folder of its own.",
        );
      }
      await rm(path, { force: true });
    }
  }
  throw new Error("unreachable: the loop returns or throws");
}

async function readHolder(path: string): Promise<Holder | null> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Holder;
  } catch {
    return null;
  }
}
