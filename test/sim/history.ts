/** What happened in a simulation, as lines; two runs of one seed give the same hash. */
export class History {
  readonly lines: string[] = [];
  private readonly keeps: boolean;
  private first = 0x811c9dc5;
  private second = 0x01000193;

  /** @param keeps whether the lines are kept to be printed, or hashed only */
  constructor(keeps: boolean) {
    this.keeps = keeps;
  }

  /** @param at milliseconds since the simulation began */
  add(at: number, who: string, what: string): void {
    const line = `${(at / 1_000).toFixed(3).padStart(9)} ${who}: ${what}`;
    for (let index = 0; index < line.length; index += 1) {
      const code = line.charCodeAt(index);
      this.first = Math.imul(this.first ^ code, 0x01000193);
      this.second = Math.imul(this.second ^ code, 0x85ebca6b);
    }
    if (this.keeps) this.lines.push(line);
  }

  hash(): string {
    return [this.first, this.second].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }
}
