import { LOG_LINE_BYTES_MAX } from "../log-text.ts";
import type { Engine } from "./engine.ts";

/** A line of a container's output. */
export interface OutputLine {
  /** When it was written: RFC 3339 with nine digits after the second, so that texts compare as times do. */
  at: string;
  /** Its bytes as latin1. */
  text: string;
}

export interface ReadOptions {
  /** Lines before the end; null = all that is kept. */
  tail: number | null;
  /** Lines from this time on, itself included; null = from the first. */
  since: string | null;
  follow: boolean;
}

/**
 * Reads a container's log line by line. The engine cuts a long line into messages, each with a time of its own; they
 * are put together again, up to what a line may have.
 */
export async function* readContainerLog(
  engine: Engine,
  container: string,
  options: ReadOptions,
  signal: AbortSignal,
): AsyncGenerator<OutputLine> {
  /** The line of each stream that has no end yet. */
  const open = new Map<number, OutputLine>();
  const since = options.since === null ? null : unixSeconds(options.since);
  for await (const { stream, payload } of engine.logs(container, { ...options, since }, signal)) {
    const message = payload.toString("latin1");
    const space = message.indexOf(" ");
    const line = open.get(stream) ?? { at: message.slice(0, space), text: "" };
    const isWhole = message.endsWith("\n");
    const rest = message.slice(space + 1, isWhole ? -1 : undefined);
    // One more than a line may have, so that it is seen to be cut.
    const text = line.text + rest.slice(0, LOG_LINE_BYTES_MAX + 1 - line.text.length);
    if (isWhole) {
      open.delete(stream);
      yield { at: line.at, text };
    } else open.set(stream, { at: line.at, text });
  }
  yield* open.values();
}

/** `1700000000.123456789`, as the engine takes instants: a number would lose the last digits. */
function unixSeconds(at: string): string {
  return `${Date.parse(`${at.slice(0, 19)}Z`) / 1_000}.${at.slice(20, 29)}`;
}
