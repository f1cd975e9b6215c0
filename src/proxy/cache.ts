interface Held<T> {
  value: T;
  at: number;
}

interface CacheOptions<T> {
  lifeMs: number;
  /** When loading fails, what is held serves until it is this old. */
  staleMsMax: number;
  max: number;
  /** Milliseconds of a clock that never goes back. */
  now: () => number;
  /** Whether those who ask for one key at a time wait for one loading, as they do unless told otherwise. */
  shared?: boolean;
  /** Which of what is held and what was read now is to be believed. */
  newer?: (held: T, read: T) => T;
}

/** Values that are asked for at most once per key at a time where that is wanted, believed for a while, and bounded in number. */
export class Cache<T> {
  readonly #options: CacheOptions<T>;
  readonly #held = new Map<string, Held<T>>();
  readonly #loading = new Map<string, Promise<T>>();
  /** How often something was forgotten: what was asked before may have been answered before too. */
  #forgotten = 0;

  constructor(options: CacheOptions<T>) {
    this.#options = options;
  }

  /**
   * @param lifeMs asks again although what is held is as young as that; a question already under way will do.
   * @returns what is held at once, so that a request waits for nothing where nothing has to be asked.
   */
  get(key: string, load: () => Promise<T>, lifeMs = this.#options.lifeMs): T | Promise<T> {
    const held = this.#held.get(key);
    if (held && this.#options.now() - held.at < lifeMs) return held.value;
    if (this.#options.shared === false) return this.#load(key, load);
    const loading = this.#loading.get(key);
    if (loading) return loading;
    const started = this.#load(key, load).finally(() => {
      if (this.#loading.get(key) === started) this.#loading.delete(key);
    });
    this.#loading.set(key, started);
    return started;
  }

  /** Asks again for these from now on. Whoever waits for an answer already still gets that one. */
  forget(isMeant: (key: string) => boolean): void {
    this.#forgotten += 1;
    for (const held of [this.#held, this.#loading]) {
      for (const key of held.keys()) if (isMeant(key)) held.delete(key);
    }
  }

  async #load(key: string, load: () => Promise<T>): Promise<T> {
    const { now, newer, staleMsMax } = this.#options;
    const asOf = this.#forgotten;
    try {
      const read = await load();
      if (asOf !== this.#forgotten) return read;
      const held = this.#held.get(key);
      return this.#hold(key, held && newer ? newer(held.value, read) : read);
    } catch (error) {
      const held = this.#held.get(key);
      if (held && now() - held.at < staleMsMax) return held.value;
      throw error;
    }
  }

  #hold(key: string, value: T): T {
    this.#held.delete(key);
    this.#held.set(key, { value, at: this.#options.now() });
    if (this.#held.size > this.#options.max) this.#held.delete(this.#held.keys().next().value!);
    return value;
  }
}
