import { createHash, randomUUID } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * What names this machine, the same after a reboot: a random id kept in the agent's data folder, and a digest of what
 * the machine says of itself. A copy of a disk copies the random id; then the digest differs where the copy got a
 * `/etc/machine-id` of its own or, readable for root only, the firmware's product id. Where all three are the same,
 * only the boot id, which a report carries besides, tells two machines apart: it changes back and forth between them.
 */
export function readMachineId(dataDir: string): string {
  const own = readOrMake(join(dataDir, "machine"));
  const facts = [readIfThere("/etc/machine-id"), readIfThere("/sys/class/dmi/id/product_uuid")];
  const digest = createHash("sha256").update(facts.join("\n")).digest("hex").slice(0, 16);
  return `${own}-${digest}`;
}

/** The file appears whole, and of two agents that start at once only one makes it. */
function readOrMake(path: string): string {
  const there = readIfThere(path);
  if (there !== "") return there;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const unfinished = `${path}.${process.pid}.tmp`;
  writeFileSync(unfinished, `${randomUUID()}\n`, { mode: 0o600 });
  try {
    linkSync(unfinished, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    unlinkSync(unfinished);
  }
  const made = readIfThere(path);
  if (made === "") throw new Error(`${path}, which names this machine, is empty or cannot be read; remove it`);
  return made;
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}
