import { open, readdir, realpath } from "node:fs/promises";
import { join, relative } from "node:path";

/**
 * A folder of small files such as sysfs, read by paths below its root. What is missing, cannot be read or is empty is
 * null or nothing, never an error: drivers leave files out as they like, and some refuse (EINVAL) what they list.
 */
export interface Tree {
  /** The text without white space around it. */
  read(path: string): Promise<string | null>;
  /** The names in a folder, sorted as text. */
  list(path: string): Promise<string[]>;
  /** Where the links of a path lead to, below the root. */
  real(path: string): Promise<string | null>;
}

/** The trees that a host's inventory is read from. */
export interface Trees {
  sys: Tree;
  proc: Tree;
  dev: Tree;
}

/** An attribute of sysfs has a page at most; the largest of the others, a table of routes, a few. */
const FILE_BYTES_MAX = 32 * 1024;

/** What a folder may list: a host has hundreds of PCI functions, a port of a NIC 256 addresses. */
const NAMES_MAX = 8_192;

/**
 * The tree below a folder of this machine. Every reading is asynchronous: a file of a device that no longer answers can
 * take seconds, or never end, and the agent forwards requests meanwhile.
 */
export function diskTree(root: string): Tree {
  return {
    read: async (path) => {
      try {
        const file = await open(join(root, path), "r");
        try {
          const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(FILE_BYTES_MAX), 0, FILE_BYTES_MAX, 0);
          return buffer.toString("utf8", 0, bytesRead).trim() || null;
        } finally {
          await file.close();
        }
      } catch {
        return null;
      }
    },
    list: async (path) => {
      try {
        return (await readdir(join(root, path))).sort().slice(0, NAMES_MAX);
      } catch {
        return [];
      }
    },
    real: async (path) => {
      try {
        const below = relative(await realpath(root), await realpath(join(root, path)));
        return below.startsWith("..") ? null : below;
      } catch {
        return null;
      }
    },
  };
}

/** A whole number of at least 0 in a text, e.g. a NUMA node, which is -1 where there is none; else null. */
export function wholeNumber(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
