import { createHash } from "node:crypto";
import { mkdir, open, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { reasonOf } from "../log.ts";
import type { Installation } from "./installation.ts";

/** A build is a quarter of a megabyte, packed; a server that sends more is not ours. */
const ARCHIVE_BYTES_MAX = 16 * 1024 * 1024;

/** Of the whole download, as at the installation. */
const FETCH_TIMEOUT_MS = 600_000;

/** What a build must have to be run at all. */
const PROGRAMS = ["agent.cjs", "supervisor.cjs"];

/**
 * Lays a build of the agent beside the present one, checked. Its folder appears under its name once it is whole.
 * @param from address of the folder that has it as `<build>.tar.gz`
 * @param signal breaks it off
 * @throws Error for people when it cannot be had
 */
export async function fetchBuild(installation: Installation, build: string, from: string, signal: AbortSignal) {
  const { staging } = installation;
  await rm(staging, { recursive: true, force: true });
  try {
    const archive = await download(`${from}/${build}.tar.gz`, signal);
    if (createHash("sha256").update(archive).digest("hex") !== build) {
      throw new Error(`what came from ${from} is another build than its name says: its SHA-256 differs`);
    }
    const unpacked = join(staging, "build");
    await mkdir(unpacked, { recursive: true });
    const packed = join(staging, "agent.tar.gz");
    await writeFile(packed, archive);
    // Few agents update in their life.
    const { extract } = await import("tar");
    await extract({ file: packed, cwd: unpacked, strict: true, filter: (path) => PROGRAMS.includes(path) });
    const there = await readdir(unpacked);
    const missing = PROGRAMS.filter((name) => !there.includes(name));
    if (missing.length > 0) throw new Error(`what came from ${from} lacks ${missing.join(" and ")}`);
    for (const name of PROGRAMS) await sync(join(unpacked, name));
    const folder = installation.folderOf(build);
    await rm(folder, { recursive: true, force: true });
    await rename(unpacked, folder);
    await sync(dirname(folder));
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function download(url: string, signal: AbortSignal): Promise<Buffer> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(FETCH_TIMEOUT_MS)]);
  try {
    const answer = await fetch(url, { signal: limit });
    if (!answer.ok || answer.body === null) {
      await answer.body?.cancel();
      throw new Error(`it answered ${answer.status}`);
    }
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of answer.body) {
      bytes += chunk.byteLength;
      if (bytes > ARCHIVE_BYTES_MAX) throw new Error(`it sent more than ${ARCHIVE_BYTES_MAX / 1024 / 1024} MiB`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    throw new Error(`${url} cannot be fetched: ${reasonOf((error as Error).cause ?? error)}`);
  }
}

/** So that it outlives a power cut. */
async function sync(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
