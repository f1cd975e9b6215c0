/** How many objects one object speaks to at a time: the platform lets an invocation await six answers. */
const AT_ONCE = 6;
/**
 * Requests of one kind that an invocation makes at most: the smallest plan allows fifty in all, and to load a large
 * project takes some of them.
 */
export const REQUESTS_AN_INVOCATION = 36;
/** What could not be told is told again after this. */
const AGAIN_MS = 2_000;

interface FanOutParts {
  /** Tells one. Harmless when repeated. */
  tell(name: string): Promise<void>;
  /** Calls `next` in a new invocation, soon or after a while. */
  later(ms: number, next: () => void): void;
}

/** Tells many the same kind of thing: each once, however often it was asked for meanwhile. */
export class FanOut {
  readonly #parts: FanOutParts;
  readonly #waiting = new Set<string>();
  #underWay = 0;
  #left = REQUESTS_AN_INVOCATION;
  #rests = false;

  constructor(parts: FanOutParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#waiting.size + this.#underWay;
  }

  add(name: string): void {
    this.#waiting.add(name);
    this.#pump();
  }

  #pump(): void {
    while (this.#underWay < AT_ONCE && !this.#rests) {
      const [name] = this.#waiting;
      if (name === undefined) break;
      if (this.#left === 0) {
        this.#rest(0);
        return;
      }
      this.#left -= 1;
      this.#waiting.delete(name);
      this.#underWay += 1;
      this.#parts
        .tell(name)
        .catch(() => {
          this.#waiting.add(name);
          this.#rest(AGAIN_MS);
        })
        .finally(() => {
          this.#underWay -= 1;
          this.#pump();
        });
    }
    if (this.size === 0) this.#left = REQUESTS_AN_INVOCATION;
  }

  #rest(ms: number): void {
    if (this.#rests) return;
    this.#rests = true;
    this.#parts.later(ms, () => {
      this.#rests = false;
      this.#left = REQUESTS_AN_INVOCATION;
      this.#pump();
    });
  }
}
