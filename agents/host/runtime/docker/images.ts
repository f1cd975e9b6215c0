import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { writePrivateFile } from "../../files.ts";
import { type Engine, type RegistryAuth, withTag } from "./engine.ts";
import { EngineRefusal, isRefusal } from "./engine-error.ts";
import { explainPull } from "./explain.ts";
import { imagesToRemove, type KnownImage } from "./image-cleanup.ts";
import { PullProgress } from "./pull-progress.ts";

/** By name, when each image that this agent has pulled was last asked for, in Unix ms. */
const pulledImages = z.record(z.string(), z.number());

/** A person reads along, and every change of the text is a report. */
const PROGRESS_MS = 5_000;

/**
 * The images that this agent has pulled. It removes those again, and no others: what somebody else built or pulled on
 * this host is theirs.
 */
export class Images {
  readonly #engine: Engine;
  readonly #file: string;
  readonly #unusedBytesMax: number;
  #pulled: Record<string, number> | null = null;
  #work: Promise<unknown> = Promise.resolve();

  /** @param unusedBytesMax what is kept of images that no job uses, for the next rollout or the way back */
  constructor(engine: Engine, dataDir: string, unusedBytesMax: number) {
    this.#engine = engine;
    this.#file = join(dataDir, "pulled-images.json");
    this.#unusedBytesMax = unusedBytesMax;
  }

  /**
   * Sees to it that an image is here. One that is here is used as it is: a tag that has moved is not looked up again,
   * so that a restart neither needs the registry nor brings another version.
   * @throws Error for people; what `signal` was aborted with
   */
  async ensure(
    image: string,
    auth: RegistryAuth | null,
    progress: (text: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const isHere = await this.#fetch(image, auth, progress, signal).catch((error) => {
      if (!(error instanceof EngineRefusal)) throw error;
      throw new Error(explainPull(image, error.message, auth !== null), { cause: error });
    });
    await this.#inTurn(async () => {
      const pulled = await this.#read();
      if (!isHere || image in pulled) await this.#write({ ...pulled, [image]: Date.now() });
    });
  }

  /** Removes what is too much of the images that no job uses. @param used names that containers were made of */
  async cleanUp(used: () => Promise<Set<string>>): Promise<void> {
    await this.#inTurn(async () => {
      const pulled = await this.#read();
      const inUse = await used();
      const known: KnownImage[] = [];
      const gone: string[] = [];
      for (const [name, lastUsedAt] of Object.entries(pulled)) {
        const image = await this.#engine.image(withTag(name));
        if (image === null) gone.push(name);
        else known.push({ name, bytes: image.bytes, lastUsedAt, inUse: inUse.has(name) });
      }
      for (const name of imagesToRemove(known, this.#unusedBytesMax)) if (await this.#remove(name)) gone.push(name);
      if (gone.length === 0) return;
      await this.#write(Object.fromEntries(Object.entries(pulled).filter(([name]) => !gone.includes(name))));
    });
  }

  async #remove(name: string): Promise<boolean> {
    try {
      await this.#engine.removeImage(withTag(name));
      return true;
    } catch (error) {
      // Somebody else's container is made of it.
      if (isRefusal(error, 409)) return false;
      throw error;
    }
  }

  /** @returns whether it was here before */
  async #fetch(
    image: string,
    auth: RegistryAuth | null,
    progress: (text: string) => void,
    signal: AbortSignal,
  ): Promise<boolean> {
    if ((await this.#engine.image(withTag(image))) !== null) return true;
    const state = new PullProgress();
    let toldAt = Number.NEGATIVE_INFINITY;
    progress(`pulls the image ${image}`);
    for await (const line of this.#engine.pull(image, auth, signal)) {
      if (line.error !== undefined) throw new EngineRefusal(500, line.error);
      state.note(line);
      if (state.text() === "" || performance.now() - toldAt < PROGRESS_MS) continue;
      toldAt = performance.now();
      progress(`pulls the image ${image}: ${state.text()}`);
    }
    return false;
  }

  async #read(): Promise<Record<string, number>> {
    if (this.#pulled !== null) return this.#pulled;
    const text = await readFile(this.#file, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "{}";
      throw error;
    });
    this.#pulled = pulledImages.catch({}).parse(parseJson(text));
    return this.#pulled;
  }

  async #write(pulled: Record<string, number>): Promise<void> {
    await writePrivateFile(this.#file, JSON.stringify(pulled));
    this.#pulled = pulled;
  }

  #inTurn(task: () => Promise<void>): Promise<void> {
    const turn = this.#work.then(task, task);
    this.#work = turn.catch(() => {});
    return turn;
  }
}

/** A damaged file names no images: then none is removed that should be kept, and that is all. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
