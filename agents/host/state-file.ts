import { readFile, rm, rmdir } from "node:fs/promises";
import { dirname } from "node:path";
import * as z from "zod";
import { type DesiredState, desiredState } from "../../src/wire/index.ts";
import type { Memory } from "./decide/types.ts";
import { writePrivateFile } from "./files.ts";

/** Rises when what is remembered changes its shape; a file of another format is left unread. */
const FORMAT = 1;

const stateFile = z.object({
  format: z.literal(FORMAT),
  bootId: z.string(),
  /** Name of the desired state's content, as the control plane gave it. */
  hash: z.string(),
  desired: desiredState.nullable(),
  /** Written by an agent of the same format, so its shape is trusted. */
  memory: z.custom<Memory>((value) => typeof value === "object" && value !== null),
});

export interface AgentState {
  hash: string;
  desired: DesiredState | null;
  memory: Memory;
}

/**
 * What outlives the agent's process, but not the machine's boot: its instants are counted from there, no job outlives
 * it, and the secrets in it should not either. Read by its owner only.
 */
export class StateFile {
  readonly path: string;
  readonly #bootId: string;
  #writing: Promise<void> = Promise.resolve();
  #next: AgentState | null = null;

  constructor(path: string, bootId: string) {
    this.path = path;
    this.#bootId = bootId;
  }

  /** @returns null when there is none, or none of this boot and format */
  async load(): Promise<AgentState | null> {
    const text = await readFile(this.path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return null;
      throw error;
    });
    if (text === null) return null;
    const parsed = stateFile.safeParse(parseJson(text));
    if (!parsed.success || parsed.data.bootId !== this.#bootId) return null;
    const { hash, desired, memory } = parsed.data;
    return { hash, desired, memory };
  }

  /** Returns when this state, or a later one, is on disk. Of several that wait only the last is written. */
  save(state: AgentState): Promise<void> {
    this.#next = state;
    const written = this.#writing.then(async () => {
      const next = this.#next;
      if (next === null) return;
      this.#next = null;
      await writePrivateFile(this.path, JSON.stringify({ format: FORMAT, bootId: this.#bootId, ...next }));
    });
    this.#writing = written.catch(() => undefined);
    return written;
  }

  /** Removes the file, and its folder when no other agent has a file there. */
  async remove(): Promise<void> {
    await this.#writing;
    await rm(this.path, { force: true });
    // Not empty, or not ours to remove: then it stays. Whoever writes next makes it again.
    await rmdir(dirname(this.path)).catch(() => undefined);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
