import { createHash, randomBytes } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { writePrivateFile } from "./files.ts";

/** What this host has chosen as its credential while it is not known to have joined with it. */
const chosenFile = z.object({ server: z.string(), credential: z.string() });

/** The prefix of hosts' credentials: it tells secret scanners and people what this is, and nothing else reads it. */
const PREFIX = "hrh_";
/** 256 bits: beyond guessing, so that its plain hash can be stored. */
const CREDENTIAL_BYTES = 32;

const pathIn = (dataDir: string): string => join(dataDir, "joining.json");

/**
 * The credential to join with. It is on disk before it is used and the same until the host has joined, so that a join
 * whose answer was lost, or that this process did not live to see, can be sent again as it was. Another server gets
 * another one: none shall know what opens a link elsewhere.
 */
export async function chooseCredential(dataDir: string, server: string): Promise<string> {
  const before = await readChosen(dataDir);
  if (before?.server === server) return before.credential;
  const credential = PREFIX + randomBytes(CREDENTIAL_BYTES).toString("base64url");
  const chosen: z.infer<typeof chosenFile> = { server, credential };
  await writePrivateFile(pathIn(dataDir), `${JSON.stringify(chosen)}\n`);
  return credential;
}

/** For once the host has joined. */
export function forgetChoice(dataDir: string): Promise<void> {
  return rm(pathIn(dataDir), { force: true });
}

export function sha256Hex(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** @returns null also for a damaged file: what it held is of no use then */
async function readChosen(dataDir: string): Promise<z.infer<typeof chosenFile> | null> {
  try {
    return chosenFile.parse(JSON.parse(await readFile(pathIn(dataDir), "utf8")));
  } catch {
    return null;
  }
}
