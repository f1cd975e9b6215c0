/** Which of the things that should happen sometimes did: kind -> value -> how often. */
export class Coverage {
  readonly seen = new Map<string, Map<string, number>>();

  saw(kind: string, value: string, times = 1): void {
    const values = this.seen.get(kind);
    if (values) values.set(value, (values.get(value) ?? 0) + times);
    else this.seen.set(kind, new Map([[value, times]]));
  }

  add(other: Coverage): void {
    for (const [kind, values] of other.seen) for (const [value, times] of values) this.saw(kind, value, times);
  }

  has(kind: string, value: string): boolean {
    return this.times(kind, value) > 0;
  }

  times(kind: string, value: string): number {
    return this.seen.get(kind)?.get(value) ?? 0;
  }
}
