import { setTimeout as delay } from "node:timers/promises";
import type { LogLine } from "../../../../src/wire/index.ts";
import { cutLine, isShellNoise, SHELL_NOISE_MAX, splitProgress } from "../log-text.ts";
import { type OutputLine, readContainerLog } from "./container-log.ts";
import type { Attempt } from "./container-names.ts";
import type { Engine } from "./engine.ts";
import { EngineUnreachable, isRefusal } from "./engine-error.ts";
import { runs, wasStarted } from "./observe.ts";

/** How soon the next attempt is looked for by who follows, and the engine again when it is gone. */
const LOOK_AGAIN_MS = 500;

/**
 * While a log is followed it is looked this often whether its container runs on: an engine (28.2 does) that is asked in
 * the moment in which a container ends may neither send the rest nor ever end the answer.
 */
const LOOK_WHETHER_ENDED_MS = 5_000;

export interface JobLogSource {
  engine: Engine;
  /** The attempts that are kept, oldest first; none when the job was removed. */
  attempts: () => Promise<Attempt[]>;
}

/**
 * A job's log as newline-separated JSON `logLine`s, over all attempts that are kept. With `follow` it goes on over
 * attempts to come, and over restarts of the engine, until `signal` aborts or the job is removed.
 */
export async function* readJobLog(
  source: JobLogSource,
  options: { tailLines: number; follow: boolean },
  signal: AbortSignal,
): AsyncGenerator<string> {
  try {
    const attempts = await source.attempts();
    const tails = await tailOfEach(source.engine, attempts, options.tailLines, signal);
    for (const [index, attempt] of attempts.entries()) {
      const follow = options.follow && index === attempts.length - 1;
      yield* readAttempt(source.engine, attempt, { tail: tails[index] ?? 0, follow }, signal);
    }
    let last = attempts.at(-1);
    while (options.follow && last !== undefined) {
      last = await nextAttempt(source, last, signal);
      if (last !== undefined) yield* readAttempt(source.engine, last, { tail: null, follow: true }, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** The last lines of an attempt, in bytes as latin1. */
export async function lastLines(engine: Engine, container: string, lines: number): Promise<string[]> {
  const found: string[] = [];
  const options = { tail: lines + SHELL_NOISE_MAX, since: null, follow: false };
  for await (const line of readContainerLog(engine, container, options, new AbortController().signal)) {
    found.push(...shown(line));
  }
  return found.slice(-lines);
}

/**
 * How many lines of each attempt the last lines of all make. Counts what the newest ones have, and reads it twice. Noise
 * of shells is not counted: the engine reads a container's two outputs by themselves, so that it may stand anywhere.
 */
async function tailOfEach(engine: Engine, attempts: Attempt[], lines: number, signal: AbortSignal): Promise<number[]> {
  const tails: number[] = [];
  let left = lines;
  for (const attempt of attempts.toReversed()) {
    const most = left === 0 ? 0 : left + SHELL_NOISE_MAX;
    const areShown: boolean[] = [];
    if (most > 0) {
      const options = { tail: most, since: null, follow: false };
      for await (const line of readContainerLog(engine, attempt.id, options, signal)) areShown.push(isShown(line));
    }
    let tail = 0;
    for (const isLine of areShown.reverse()) {
      if (left === 0) break;
      tail += 1;
      if (isLine) left -= 1;
    }
    // Where there were fewer, what is written meanwhile belongs to the last ones too.
    tails.unshift(left > 0 ? most : tail);
  }
  return tails;
}

/** Waits for the attempt after this one. @returns undefined when the job was removed */
async function nextAttempt(source: JobLogSource, last: Attempt, signal: AbortSignal): Promise<Attempt | undefined> {
  for (;;) {
    const attempts = await unlessGone(source.attempts());
    if (attempts?.length === 0) return undefined;
    const next = attempts?.find((attempt) => attempt.attempt > last.attempt);
    if (next !== undefined) return next;
    await delay(LOOK_AGAIN_MS, undefined, { signal });
  }
}

/**
 * Reads one attempt's lines. The engine's stream ends with the container, and with the engine: then it is taken up
 * again after the last line that was seen, until all of an ended container was read.
 */
async function* readAttempt(
  engine: Engine,
  { id, replica, attempt }: Attempt,
  { tail, follow }: { tail: number | null; follow: boolean },
  signal: AbortSignal,
): AsyncGenerator<string> {
  const seen = new LastSeen();
  let isLive = follow;
  for (;;) {
    const from = seen.at === null ? { tail, since: null } : { tail: null, since: seen.at };
    const again = seen.again();
    const watch = isLive ? watchEnd(engine, id) : null;
    const until = watch === null ? signal : AbortSignal.any([signal, watch.ended]);
    try {
      for await (const line of readContainerLog(engine, id, { ...from, follow: isLive }, until)) {
        if (again(line)) continue;
        seen.note(line);
        const ageMs = Math.max(0, Date.now() - Date.parse(line.at));
        for (const bytes of shown(line)) {
          const logLine: LogLine = { replica, attempt, ageMs, text: Buffer.from(bytes, "latin1").toString("utf8") };
          yield `${JSON.stringify(logLine)}\n`;
        }
      }
      if (!isLive) return;
    } catch (error) {
      if (isRefusal(error, 404, 409)) return;
      const hasEnded = watch?.ended.aborted === true && !signal.aborted;
      if (!hasEnded && (!follow || !(error instanceof EngineUnreachable))) throw error;
    } finally {
      watch?.close();
    }
    await delay(LOOK_AGAIN_MS / 2, undefined, { signal });
    const container = await unlessGone(engine.inspect(id));
    if (container === null) return;
    // One that was made and not started yet has all of its log before it.
    if (container !== undefined) isLive = runs(container) || !wasStarted(container);
  }
}

/** Looks now and then whether a container has ended. */
function watchEnd(engine: Engine, id: string): { ended: AbortSignal; close(): void } {
  const ended = new AbortController();
  const look = async () => {
    const container = await engine.inspect(id).catch(() => undefined);
    if (container === null || (container !== undefined && wasStarted(container) && !runs(container))) ended.abort();
  };
  const timer = setInterval(() => void look(), LOOK_WHETHER_ENDED_MS);
  return { ended: ended.signal, close: () => clearInterval(timer) };
}

/** Where reading was when it broke off: the time of the last line, and how many lines bore it. */
class LastSeen {
  at: string | null = null;
  #count = 0;

  note({ at }: OutputLine): void {
    this.#count = at === this.at ? this.#count + 1 : 1;
    this.at = at;
  }

  /** Tells of each line that comes now whether it came before. */
  again(): (line: OutputLine) => boolean {
    const [at, count] = [this.at, this.#count];
    let met = 0;
    return (line) => {
      if (at === null || line.at > at) return false;
      if (line.at < at) return true;
      met++;
      return met <= count;
    };
  }
}

function isShown(line: OutputLine): boolean {
  return shown(line).length > 0;
}

function shown({ text }: OutputLine): string[] {
  return splitProgress(text)
    .filter((line) => !isShellNoise(line))
    .map(cutLine);
}

/** @returns undefined while the engine cannot be reached */
async function unlessGone<T>(answer: Promise<T>): Promise<T | undefined> {
  return answer.catch((error) => {
    if (error instanceof EngineUnreachable) return undefined;
    throw error;
  });
}
