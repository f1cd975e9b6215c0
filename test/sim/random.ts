/**
 * Random numbers that a seed decides: the generator sfc32, which is small, fast and passes the usual tests. Each part
 * of a simulation draws from a stream of its own, so that a change in one does not shift what the others draw.
 */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  constructor(seed: number, stream: string) {
    this.a = seed >>> 0;
    this.b = Math.floor(seed / 2 ** 32) >>> 0;
    this.c = hashOf(stream);
    // The first draws still show the seed.
    for (let round = 0; round < 12; round += 1) this.word();
  }

  /** From 0 up to 1. */
  next(): number {
    return this.word() / 2 ** 32;
  }

  /** A whole number, both ends included. */
  int(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new Error("there is nothing to pick from");
    return items[this.int(0, items.length - 1)] as T;
  }

  /** A span around a mean, at most ten times as long: most are short, a few are long. */
  span(meanMs: number): number {
    return Math.ceil(Math.min(10, -Math.log(1 - this.next())) * meanMs);
  }

  private word(): number {
    const sum = (((this.a + this.b) >>> 0) + this.counter) >>> 0;
    this.counter = (this.counter + 1) >>> 0;
    this.a = (this.b ^ (this.b >>> 9)) >>> 0;
    this.b = (this.c + (this.c << 3)) >>> 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) >>> 0;
    return sum;
  }
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
