import type { Sequence } from "./sequence.ts";

/** Requests that wait for their prompt to be computed: first come first served, or by priority where that is on. */
export class WaitingLine {
  private readonly byPriority: boolean;
  private readonly line: Sequence[] = [];

  constructor(byPriority: boolean) {
    this.byPriority = byPriority;
  }

  get length(): number {
    return this.line.length;
  }

  get first(): Sequence | undefined {
    return this.line[0];
  }

  /** Tokens of prompt that wait, whatever of them turns out to be cached. */
  get promptTokens(): number {
    return this.line.reduce((sum, { promptTokens }) => sum + promptTokens, 0);
  }

  add(sequence: Sequence): void {
    const place = this.byPriority ? this.line.findIndex((other) => other.priority < sequence.priority) : -1;
    this.line.splice(place < 0 ? this.line.length : place, 0, sequence);
  }

  /** For one whose cache was taken: it has waited before. */
  addFirst(sequence: Sequence): void {
    this.line.unshift(sequence);
  }

  shift(): void {
    this.line.shift();
  }

  remove(sequence: Sequence): void {
    const place = this.line.indexOf(sequence);
    if (place >= 0) this.line.splice(place, 1);
  }
}
