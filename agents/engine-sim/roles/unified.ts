import type { Clock } from "../clock.ts";
import { RequestSequence } from "../request-sequence.ts";
import type { Telemetry } from "../telemetry.ts";
import { untilAborted } from "../until-aborted.ts";
import type { Job, Outcome, Role } from "./role.ts";

/** An engine that does all of a request; a prefill and a decode do so with one that meets nobody. */
export class UnifiedRole implements Role {
  private readonly clock: Clock;
  private readonly telemetry: Telemetry;

  constructor(clock: Clock, telemetry: Telemetry) {
    this.clock = clock;
    this.telemetry = telemetry;
  }

  async serve({ strand, rank, onToken, signal }: Job): Promise<Outcome> {
    const sequence = new RequestSequence(strand, "whole", onToken);
    timeForward(sequence, rank.index, this.clock, this.telemetry);
    try {
      rank.scheduler.submit(sequence);
      rank.changed();
      await untilAborted(sequence.done, signal);
    } finally {
      rank.scheduler.remove(sequence);
      rank.changed();
    }
    const { produced: tokens, cachedTokens } = sequence;
    return { finish: strand.answer.finish, tokens, cachedTokens, peer: null };
  }
}

/** Observes how long a sequence waits for its first step, from now on. */
export function timeForward(sequence: RequestSequence, rank: number, clock: Clock, telemetry: Telemetry): void {
  const queuedAt = clock.now();
  void sequence.started.then(() => telemetry.queued(rank, clock.now() - queuedAt));
}
