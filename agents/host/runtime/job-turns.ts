/** Work on jobs, one piece after the other for each job, and for different jobs at once. */
export class JobTurns {
  /** The last piece of each job. */
  readonly #turns = new Map<string, Promise<unknown>>();

  /** Runs the task once all that was asked before for this job has ended, in whichever way. */
  async run(job: string, task: () => Promise<void>): Promise<void> {
    const turn = (this.#turns.get(job) ?? Promise.resolve()).then(task, task);
    this.#turns.set(job, turn);
    try {
      await turn;
    } finally {
      if (this.#turns.get(job) === turn) this.#turns.delete(job);
    }
  }

  /** Until nothing is under way. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#turns.values());
  }
}
