/** A binary heap: the best element first. */
export class Heap<T> {
  private readonly items: T[] = [];
  private readonly isBetter: (a: T, b: T) => boolean;

  constructor(isBetter: (a: T, b: T) => boolean) {
    this.isBetter = isBetter;
  }

  push(item: T): void {
    let index = this.items.push(item) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.isBetter(item, this.items[parent] as T)) break;
      this.items[index] = this.items[parent] as T;
      index = parent;
    }
    this.items[index] = item;
  }

  pop(): T | undefined {
    const best = this.items[0];
    const last = this.items.pop();
    if (last === undefined || this.items.length === 0) return best;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= this.items.length) break;
      if (child + 1 < this.items.length && this.isBetter(this.items[child + 1] as T, this.items[child] as T))
        child += 1;
      if (!this.isBetter(this.items[child] as T, last)) break;
      this.items[index] = this.items[child] as T;
      index = child;
    }
    this.items[index] = last;
    return best;
  }
}
