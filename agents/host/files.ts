import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

/**
 * Puts a file in place so that a reader, or a power cut, finds the old one or the new one and never a part. Only its
 * owner can read it.
 */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(draft, "w", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** A rename is only certain to outlive a power cut when its folder was written too. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(join(path, "."), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
