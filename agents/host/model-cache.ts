import { chmod, chown, lstat, mkdir, opendir } from "node:fs/promises";
import { join } from "node:path";
import type { Inventory } from "../../src/wire/index.ts";
import { BYTES_PER_GIB } from "./inventory/found.ts";
import { reasonOf } from "./log.ts";
import { PathSilent, pathLooks } from "./path-looks.ts";

/** Where containers see their folder of the cache. */
export const CACHE_IN_CONTAINER = "/headrace/models";

/** Variables that say where models are kept; whoever sets one of them has a place of their own. */
const PLACES = [
  "HF_HOME",
  "HF_HUB_CACHE",
  "HUGGINGFACE_HUB_CACHE",
  "TRANSFORMERS_CACHE",
  "MODELSCOPE_CACHE",
  "XDG_CACHE_HOME",
];

/** Where libraries keep models when nobody says anything: a volume there is meant for them. */
const USUAL_PLACE = /(^|\/)(\.cache|huggingface|modelscope)(\/|$)/;

/** A size is looked at this often: models come by the hour. */
const SIZE_MS = 10 * 60_000;

/** A folder is made within this, also on a file system that is mounted from elsewhere and busy; else jobs go without. */
const MAKE_MS_MAX = 10_000;

/** A model has hundreds of files. What lies beyond this many is not counted, and the size is told as a lower bound. */
const ENTRIES_MAX = 200_000;

/** Tells libraries to keep what they download in a folder. */
export function cacheVariables(folder: string): Record<string, string> {
  return { HF_HOME: `${folder}/huggingface`, MODELSCOPE_CACHE: `${folder}/modelscope` };
}

/**
 * Whether a job has a place for models of its own, which is left alone.
 * @param variables names of what its service or its image sets
 * @param targets where volumes are mounted
 */
export function hasOwnCache(variables: readonly string[], targets: readonly string[]): boolean {
  return variables.some((name) => PLACES.includes(name)) || targets.some((target) => USUAL_PLACE.test(target));
}

/** Whoever writes into a folder of the cache: the id of a user, or what a container's image calls one. */
export type CacheOwner = { uid: number } | { name: string };

/** @param user as a container or an image names it: a name or a number, with or without a group; empty = root */
export function ownerOf(user: string): CacheOwner {
  const name = user.split(":")[0] ?? "";
  if (name === "" || name === "root") return { uid: 0 };
  return /^\d+$/.test(name) ? { uid: Number(name) } : { name };
}

/**
 * The folder of a host in which jobs keep the models that they download, so that the next replica finds them: one for
 * each user that jobs run as, since what one user has written another may not go on with. Nobody else on the host may
 * enter them: a file of a container's root could be run with its rights.
 *
 * Nothing is ever removed from it here.
 */
export class ModelCache {
  readonly path: string;
  #trouble: string | null = null;
  #size: { bytes: number; at: number } | null = null;
  #measuring: Promise<void> | null = null;

  constructor(path: string) {
    this.path = path;
  }

  /** What an operator should know of it. */
  get warnings(): string[] {
    if (this.#trouble === null) return [];
    return [`the model cache ${this.path} cannot be used, so jobs download models for themselves: ${this.#trouble}`];
  }

  /** As a report has it. */
  described(): Inventory["modelCache"] {
    const bytes = this.bytes();
    return { path: this.path, gib: bytes === null ? null : Math.round(bytes / BYTES_PER_GIB) };
  }

  /**
   * The folder of a user, made where it is missing.
   * @param check throws where the user could not use it
   * @param mapped whether users of containers are others on the host, so that ids say nothing
   * @returns null where the disk or its rights do not allow it, which is a warning from then on
   */
  async folderOf(
    owner: CacheOwner,
    check: (folder: string) => void = () => {},
    mapped = false,
  ): Promise<string | null> {
    try {
      const folder = await pathLooks.at(this.path, () => this.#make(owner, mapped), MAKE_MS_MAX);
      check(folder);
      this.#trouble = null;
      return folder;
    } catch (error) {
      this.#trouble = reasonOf(error);
      return null;
    }
  }

  async #make(owner: CacheOwner, mapped: boolean): Promise<string> {
    await mkdir(this.path, { recursive: true, mode: 0o711 });
    const own = process.getuid?.() ?? 0;
    if ("uid" in owner && !mapped && (own === 0 || own === owner.uid)) {
      const folder = join(this.path, String(owner.uid));
      await mkdir(folder, { recursive: true, mode: 0o700 });
      if (own !== owner.uid) await chown(folder, owner.uid, -1);
      return folder;
    }
    // Who that is on the host is not known: all may write within, and none but the agent gets there by itself.
    const outer = join(this.path, "uid" in owner ? `container-${owner.uid}` : `user-${encodeURIComponent(owner.name)}`);
    const folder = join(outer, "shared");
    await mkdir(outer, { recursive: true, mode: 0o700 });
    await mkdir(folder, { recursive: true });
    await chmod(folder, 0o1777);
    return folder;
  }

  /** Bytes on the disk, as last measured; null until that was done for the first time. Begins the next one when it is due. */
  bytes(): number | null {
    if (this.#measuring === null && (this.#size === null || performance.now() - this.#size.at > SIZE_MS)) {
      this.#measuring = this.#measure().finally(() => {
        this.#measuring = null;
      });
    }
    return this.#size?.bytes ?? null;
  }

  async #measure(): Promise<void> {
    const trouble = await pathLooks.at(this.path, () => lstat(this.path)).catch((error: unknown) => error);
    if (trouble instanceof PathSilent) return;
    this.#size = { bytes: await sizeOf(this.path), at: performance.now() };
  }

  /** Until a measurement that is under way has come to its end. */
  async measured(): Promise<number> {
    this.bytes();
    await this.#measuring;
    return this.#size?.bytes ?? 0;
  }
}

/** What the files below a folder take on the disk. What goes meanwhile, or may not be looked into, counts for nothing. */
async function sizeOf(root: string): Promise<number> {
  let bytes = 0;
  let left = ENTRIES_MAX;
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined && left > 0; folder = folders.pop()) {
    const entries = await opendir(folder).catch(() => null);
    if (entries === null) continue;
    for await (const entry of entries) {
      left -= 1;
      if (left <= 0) break;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) folders.push(path);
      // 512 bytes: the unit of stat(2), whatever the file system's own.
      else bytes += ((await lstat(path).catch(() => null))?.blocks ?? 0) * 512;
    }
  }
  return bytes;
}
