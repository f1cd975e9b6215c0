import { stat, statfs } from "node:fs/promises";
import type { HostDisk } from "../../../src/wire/index.ts";
import { ownLooks, type PathLooks, pathLooks } from "../path-looks.ts";
import { BYTES_PER_GIB } from "./found.ts";

/** What a host keeps on a disk. */
export type DiskUse = HostDisk["holds"][number];
export type DiskLevel = HostDisk["level"];

/**
 * A disk is `low` with less than this left, or this part of it where that is less: the image of an engine with its CUDA
 * or ROCm takes up to 40 GB unpacked, and on a small disk a tenth is little.
 */
const LOW_BYTES = 40e9;
const LOW_PART = 0.1;

/** And `full` with less than this: no image of an engine fits, and logs and state may not either. */
const FULL_BYTES = 2e9;
const FULL_PART = 0.02;

/** It is so until this many times as much is left, so that it does not come and go with each log that is turned over. */
const OVER_TIMES = 1.25;

/** Pure. @param before what it was held to be when it was last looked at */
export function diskLevel(freeBytes: number, bytes: number, before: DiskLevel): DiskLevel {
  const below = (limit: number, held: boolean) => freeBytes < limit * (held ? OVER_TIMES : 1);
  if (below(fullBelow(bytes), before === "full")) return "full";
  return below(lowBelow(bytes), before !== "ok") ? "low" : "ok";
}

/** Bytes. */
function lowBelow(bytes: number): number {
  return Math.min(LOW_BYTES, bytes * LOW_PART);
}

function fullBelow(bytes: number): number {
  return Math.min(FULL_BYTES, bytes * FULL_PART);
}

const HOLDS: Record<DiskUse, string> = {
  data: "the agent's data",
  models: "downloaded models",
  images: "the Docker engine's images and containers",
};

const ADVICE: Record<DiskUse, string> = {
  data: "look what fills it",
  models: "remove models that nothing uses any more",
  images: "`docker system df` says what takes it, `docker image prune -a` removes images that nothing uses",
};

/**
 * What an operator should know of a disk; null while there is room. In it stands the limit and not what is left, which
 * changes all the time: each new text is a change of the host.
 */
export function diskWarning({ path, holds, gib, level }: HostDisk): string | null {
  if (level === "ok") return null;
  const bytes = gib * BYTES_PER_GIB;
  const limit = level === "full" ? fullBelow(bytes) : lowBelow(bytes);
  const says = level === "full" ? "is full" : "is nearly full";
  const what = holds.map((use) => HOLDS[use]).join(", ");
  const advice = holds.map((use) => ADVICE[use]).join("; ");
  return `the disk of ${path} (${what}) ${says}: less than ${gb(limit)} of its ${gb(bytes)} are left; ${advice}`;
}

/** Two digits, as disks are sold: `40 GB`, `0.51 GB`. */
function gb(bytes: number): string {
  return `${Number((bytes / 1e9).toPrecision(2))} GB`;
}

const LOOKS: Record<DiskUse, PathLooks> = { data: ownLooks, models: pathLooks, images: pathLooks };

/**
 * The file system that a path is on.
 * @throws PathSilent when it does not answer; Error when it cannot be seen
 */
export function diskAt(
  path: string,
  looks: PathLooks,
  withinMs?: number,
): Promise<{ device: number; freeBytes: number; bytes: number }> {
  const look = async () => {
    const { dev } = await stat(path);
    const { bavail, blocks, bsize } = await statfs(path);
    return { device: dev, freeBytes: bavail * bsize, bytes: blocks * bsize };
  };
  return looks.at(path, look, withinMs);
}

/** Looks how much room there is where the host keeps things. */
export class DiskWatch {
  readonly #levels = new Map<string, DiskLevel>();

  /**
   * @param places where each thing is kept; null: nowhere, or it is not known
   * @returns a disk for each file system, by the first of the places on it; one that does not answer is left out
   */
  async look(places: Record<DiskUse, string | null>): Promise<HostDisk[]> {
    const disks = new Map<number, { disk: HostDisk; free: number; bytes: number }>();
    for (const [use, path] of Object.entries(places) as [DiskUse, string | null][]) {
      // An agent that is not root may not see a folder.
      const found = path === null ? null : await diskAt(path, LOOKS[use]).catch(() => null);
      if (path === null || found === null) continue;
      const { device, freeBytes, bytes } = found;
      const known = disks.get(device);
      const gib = Math.floor((bytes / BYTES_PER_GIB) * 1_000) / 1_000;
      if (known) known.disk.holds.push(use);
      else disks.set(device, { disk: { path, holds: [use], gib, level: "ok" }, free: freeBytes, bytes });
    }
    return [...disks.values()].map(({ disk, free, bytes }) => {
      const level = diskLevel(free, bytes, this.#levels.get(disk.path) ?? "ok");
      this.#levels.set(disk.path, level);
      return { ...disk, level };
    });
  }
}
