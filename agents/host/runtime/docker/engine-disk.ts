import { statfs } from "node:fs/promises";
import type { Engine } from "./engine.ts";
import { bytesText } from "./pull-progress.ts";

/** Disks fill over minutes; asking costs two calls. */
const LOOK_MS = 60_000;

/** The image of an engine with its CUDA or ROCm, unpacked, takes as much at most. */
const FREE_BYTES_MIN = 40e9;
/** And on a small disk this part of it is little. */
const FREE_PART_MIN = 0.1;

/** Looks now and then how much room there is for images and containers. */
export class EngineDisk {
  readonly #engine: Engine;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #warning: string | null = null;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** What an operator should know of it, as last seen. */
  get warning(): string | null {
    return this.#warning;
  }

  async look(): Promise<void> {
    if (performance.now() - this.#lookedAt < LOOK_MS) return;
    this.#lookedAt = performance.now();
    const { DockerRootDir: folder } = await this.#engine.info();
    // An agent in a container of its own, or one that is not root, may not see it.
    const found = await statfs(folder).catch(() => null);
    this.#warning = found === null ? null : diskWarning(folder, found.bavail * found.bsize, found.blocks * found.bsize);
  }
}

/** Pure. @returns null while there is room enough */
export function diskWarning(folder: string, freeBytes: number, bytes: number): string | null {
  if (freeBytes >= Math.min(FREE_BYTES_MIN, bytes * FREE_PART_MIN)) return null;
  return (
    `the disk of the Docker engine has ${bytesText(freeBytes)} left of ${bytesText(bytes)} (${folder}); images, and what ` +
    "containers write, need room: `docker system df` says what takes it"
  );
}
