import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path/posix";
import type { Tree, Trees } from "../../../agents/host/inventory/tree.ts";

/** Links followed in one path; the kernel's own bound. */
const LINKS_MAX = 40;

/**
 * A file system in memory with the folders `sys`, `proc` and `dev` of a machine that does not exist: to be read as it
 * is, or written to disk for what reads the real thing.
 */
export class FakeTree {
  /** Text without its final newline. */
  readonly #files = new Map<string, string>();
  /** Where they lead, relative to the folder that they are in. */
  readonly #links = new Map<string, string>();
  /** The names in each folder; null until somebody asks again. */
  #folders: Map<string, Set<string>> | null = null;

  /** Adds files below a folder. */
  add(folder: string, files: Record<string, string | number>): void {
    for (const [name, text] of Object.entries(files)) this.#files.set(join(folder, name), String(text));
    this.#folders = null;
  }

  /** Adds a link; `target` is a path from the root. */
  link(path: string, target: string): void {
    this.#links.set(path, "../".repeat(path.split("/").length - 1) + target);
    this.#folders = null;
  }

  /** The paths of all files and links. */
  paths(): string[] {
    return [...this.#files.keys(), ...this.#links.keys()];
  }

  /** Takes a file, a link or a folder away. */
  remove(path: string): void {
    this.#folders = null;
    for (const names of [this.#files, this.#links]) {
      for (const name of names.keys()) if (name === path || name.startsWith(`${path}/`)) names.delete(name);
    }
  }

  /** Writes it all below a folder of the disk. */
  write(root: string): void {
    for (const folder of new Set(this.paths().map((path) => dirname(path)))) {
      mkdirSync(join(root, folder), { recursive: true });
    }
    for (const [path, text] of this.#files) writeFileSync(join(root, path), text === "" ? "" : `${text}\n`);
    for (const [path, target] of this.#links) symlinkSync(target, join(root, path));
  }

  /** What an agent reads it through. */
  trees(): Trees {
    return { sys: this.#tree("sys"), proc: this.#tree("proc"), dev: this.#tree("dev") };
  }

  #tree(root: string): Tree {
    return {
      read: async (path) => this.#files.get(this.#resolve(join(root, path)) ?? "") || null,
      list: async (path) => this.#names(join(root, path)),
      real: async (path) => {
        const found = this.#resolve(join(root, path));
        return found === null || !this.#exists(found) ? null : found.slice(root.length + 1);
      },
    };
  }

  #names(path: string): string[] {
    const folder = this.#resolve(path);
    return folder === null ? [] : [...(this.#index().get(folder) ?? [])].sort();
  }

  #exists(path: string): boolean {
    return this.#files.has(path) || this.#index().has(path);
  }

  #index(): Map<string, Set<string>> {
    if (this.#folders !== null) return this.#folders;
    const folders = new Map<string, Set<string>>();
    for (const path of this.paths()) {
      for (let at = path; at.includes("/"); at = dirname(at)) {
        const folder = dirname(at);
        const names = folders.get(folder);
        names?.add(basename(at));
        // What is above a folder that is known is known.
        if (names !== undefined) break;
        folders.set(folder, new Set([basename(at)]));
      }
    }
    this.#folders = folders;
    return folders;
  }

  /** The path with every link in it followed; null for a circle of links. */
  #resolve(path: string): string | null {
    let rest = path.split("/").filter((part) => part !== "" && part !== ".");
    let at = "";
    for (let followed = 0; rest.length > 0; ) {
      const [part = "", ...others] = rest;
      rest = others;
      if (part === "..") {
        at = at.includes("/") ? dirname(at) : "";
        continue;
      }
      const next = at === "" ? part : `${at}/${part}`;
      const target = this.#links.get(next);
      if (target === undefined) at = next;
      else {
        followed += 1;
        if (followed > LINKS_MAX) return null;
        rest = [...target.split("/"), ...rest];
      }
    }
    return at;
  }
}
