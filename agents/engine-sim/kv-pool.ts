/** The engine's cache, counted in tokens, by who holds it. */
export class KvPool<Owner> {
  readonly capacity: number;
  private readonly held = new Map<Owner, number>();
  private sum = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get used(): number {
    return this.sum;
  }

  get free(): number {
    return this.capacity - this.sum;
  }

  get owners(): number {
    return this.held.size;
  }

  heldBy(owner: Owner): number {
    return this.held.get(owner) ?? 0;
  }

  /** Takes more tokens. The caller has looked that they are free. */
  take(owner: Owner, tokens: number): void {
    if (tokens > this.free) throw new RangeError(`${tokens} tokens were taken of ${this.free} free ones`);
    this.held.set(owner, this.heldBy(owner) + tokens);
    this.sum += tokens;
  }

  /** Gives all back. Idempotent. */
  release(owner: Owner): void {
    this.sum -= this.heldBy(owner);
    this.held.delete(owner);
  }
}
