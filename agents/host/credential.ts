import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { id, resourceName } from "../../src/wire/index.ts";
import { writePrivateFile } from "./files.ts";

const credentialFile = z.object({
  /** Address of the control plane that gave it. */
  server: z.string(),
  project: resourceName,
  fleet: resourceName,
  host: id,
  credential: z.string().min(1),
});

/** Who this host is to its control plane, from its joining on. */
export type HostCredential = z.infer<typeof credentialFile>;

const pathIn = (dataDir: string): string => join(dataDir, "credential.json");

/**
 * @returns null when this agent has not joined yet
 * @throws Error for people when the file is there and cannot be used
 */
export async function readCredential(dataDir: string): Promise<HostCredential | null> {
  const path = pathIn(dataDir);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new Error(
      `${path} cannot be read (${(error as NodeJS.ErrnoException).code}); it holds this host's credential`,
    );
  }
  try {
    return credentialFile.parse(JSON.parse(text));
  } catch {
    throw new Error(`${path} is damaged. Remove it and join again with a new token (headrace host join).`);
  }
}

export function writeCredential(dataDir: string, credential: HostCredential): Promise<void> {
  return writePrivateFile(pathIn(dataDir), `${JSON.stringify(credential)}\n`);
}
