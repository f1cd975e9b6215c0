import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";

/** Builds of the agent that a server keeps, its own among them: each has a quarter of a megabyte. */
const BUILDS_KEPT = 5;

const ARCHIVE = /^([0-9a-f]{64})\.tar\.gz$/;

/**
 * The builds of the agent that the server of this data folder has given out, so that a fleet can stay at one, or go back
 * to it, when the server is another. The oldest go.
 */
export class AgentShelf {
  readonly #folder: string;

  constructor(dataDir: string) {
    this.#folder = join(dataDir, "agents");
  }

  /** Puts a build there, as the newest. @returns what is there, the newest first */
  async keep(build: string, archive: Uint8Array): Promise<string[]> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const path = this.#pathOf(build);
    if (!(await this.#byAge()).includes(build)) await writeWhole(path, archive);
    const now = new Date();
    await utimes(path, now, now);
    const kept = await this.#byAge();
    await Promise.all(kept.slice(BUILDS_KEPT).map((old) => rm(this.#pathOf(old), { force: true })));
    return kept.slice(0, BUILDS_KEPT);
  }

  /** @returns null for a build that is not there */
  async read(build: string): Promise<Uint8Array<ArrayBuffer> | null> {
    try {
      return new Uint8Array(await readFile(this.#pathOf(build)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw error;
    }
  }

  #pathOf(build: string): string {
    return join(this.#folder, `${build}.tar.gz`);
  }

  async #byAge(): Promise<string[]> {
    const builds = (await readdir(this.#folder)).flatMap((name) => ARCHIVE.exec(name)?.[1] ?? []);
    const aged = await Promise.all(
      builds.map(async (build) => ({ build, at: (await stat(this.#pathOf(build))).mtimeMs })),
    );
    return aged.sort((a, b) => b.at - a.at).map(({ build }) => build);
  }
}

/** After a power cut it is there whole or not at all. */
async function writeWhole(path: string, content: Uint8Array): Promise<void> {
  const draft = `${path}.${process.pid}.tmp`;
  const file = await open(draft, "w", 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}
