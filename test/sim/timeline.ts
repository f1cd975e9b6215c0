import { setImmediate } from "node:timers/promises";

export type Cancel = () => void;

interface Moment {
  at: number;
  /** Order among those of one instant: first come, first served. */
  order: number;
  action: (() => void) | null;
}

/**
 * Virtual time: what is to happen at which instant, in one order that only the calls decide. Everything that waits in a
 * simulation waits here, so an hour of it takes as long as its events take to compute.
 */
export class Timeline {
  /** Milliseconds since 1970, as a clock that is right would show them. */
  now: number;
  /** Actions run so far. */
  steps = 0;
  private order = 0;
  private readonly heap: Moment[] = [];
  private promises = false;

  constructor(start: number) {
    this.now = start;
  }

  /** @returns takes it back, if it has not happened yet */
  at(moment: number, action: () => void): Cancel {
    const entry: Moment = { at: Math.max(this.now, Math.ceil(moment)), order: this.order, action };
    this.order += 1;
    push(this.heap, entry);
    return () => {
      entry.action = null;
    };
  }

  after(ms: number, action: () => void): Cancel {
    return this.at(this.now + ms, action);
  }

  /** The action that runs now has settled a promise or called what awaits one: what follows from it comes first. */
  awaits(): void {
    this.promises = true;
  }

  /** Lets time pass until there is nothing to come before `end`, or `over` says so after an action. */
  async run(end: number, over: () => boolean = () => false): Promise<void> {
    for (;;) {
      const next = this.heap[0];
      if (!next || next.at > end) {
        this.now = Math.max(this.now, end);
        return;
      }
      pop(this.heap);
      if (!next.action) continue;
      this.now = next.at;
      this.steps += 1;
      next.action();
      if (this.promises) {
        this.promises = false;
        // All promises of a simulation are settled by its own events, so by then nothing that follows is left to do.
        await setImmediate();
      }
      if (over()) return;
    }
  }
}

function isEarlier(a: Moment, b: Moment): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

function push(heap: Moment[], entry: Moment): void {
  let index = heap.push(entry) - 1;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    if (!isEarlier(entry, heap[parent] as Moment)) break;
    heap[index] = heap[parent] as Moment;
    index = parent;
  }
  heap[index] = entry;
}

function pop(heap: Moment[]): void {
  const last = heap.pop() as Moment;
  if (heap.length === 0) return;
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isEarlier(heap[child + 1] as Moment, heap[child] as Moment)) child += 1;
    if (!isEarlier(heap[child] as Moment, last)) break;
    heap[index] = heap[child] as Moment;
    index = child;
  }
  heap[index] = last;
}
