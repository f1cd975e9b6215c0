import { constants } from "node:os";
import type { JobEnd } from "../../../../src/wire/index.ts";
import type { RuntimeJob } from "../types.ts";
import type { Attempt } from "./container-names.ts";
import type { ContainerAnswer } from "./engine-answers.ts";

/** Exit codes above this are a signal's number more, by a custom that shells and the engine share. */
const SIGNAL_CODES_FROM = 128;

/** An attempt whose agent died before it started the container, or that the engine could not start. */
const NEVER_STARTED = "0001-01-01";

export function wasStarted({ State }: ContainerAnswer): boolean {
  return !State.StartedAt.startsWith(NEVER_STARTED);
}

/** Whether a process of it lives, or may at any moment. */
export function runs({ State }: ContainerAnswer): boolean {
  return State.Status === "running" || State.Status === "paused" || State.Status === "restarting";
}

/** A container that somebody has started again is another run. */
export function incarnationOf({ Id, State }: ContainerAnswer): string {
  return `${Id.slice(0, 12)}-${State.StartedAt}`;
}

/**
 * How a container ended. The engine tells a process that was killed from one that ended with 128 and the signal's
 * number only by what it remembers of signals sent from outside.
 * @param sent numbers of the signals that were sent to it from outside
 */
export function endOf({ State }: ContainerAnswer, sent: number[], tail: string): JobEnd {
  const outOfMemory = State.OOMKilled;
  const signal = signalOf(State.ExitCode);
  if (signal !== null && sent.includes(signal.number)) {
    return { exitCode: null, signal: signal.name, outOfMemory, tail };
  }
  return { exitCode: State.ExitCode, signal: null, outOfMemory, tail };
}

/** The signal that an exit code may stand for. */
export function signalOf(exitCode: number): { name: string; number: number } | null {
  const found = Object.entries(constants.signals).find(([, number]) => number === exitCode - SIGNAL_CODES_FROM);
  return found === undefined ? null : { name: found[0], number: found[1] };
}

/** @param end null while it runs */
export function describe(attempt: Attempt, container: ContainerAnswer, end: JobEnd | null, now: number): RuntimeJob {
  const startedAt = wasStarted(container) ? Date.parse(container.State.StartedAt) : now;
  return {
    job: attempt.job,
    replica: attempt.replica,
    attempt: attempt.attempt,
    state: end === null ? "running" : "ended",
    incarnation: incarnationOf(container),
    ageMs: Math.max(0, now - startedAt),
    end,
  };
}
