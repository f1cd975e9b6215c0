import { RequestError } from "./errors.ts";

/** Counts the streams that each project holds open, so that none can take all sockets and memory. */
export class OpenStreams {
  readonly #max: number;
  readonly #open = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Takes a place.
   * @returns gives it back; may be called more than once
   * @throws RequestError `too_many`
   */
  take(project: string): () => void {
    const open = this.#open.get(project) ?? 0;
    if (open >= this.#max) {
      throw new RequestError(
        "too_many",
        `This project has ${this.#max} streams open, the most that one may have. Close some that follow logs or commits.`,
      );
    }
    this.#open.set(project, open + 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const left = (this.#open.get(project) ?? 1) - 1;
      if (left > 0) this.#open.set(project, left);
      else this.#open.delete(project);
    };
  }
}
