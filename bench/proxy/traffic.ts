/** What the load generator is told, and what it says; between processes, so plain data. */

export type Traffic = "json" | "stream";

export interface LoadOrder {
  /** `http://127.0.0.1:port/...` */
  url: string;
  headers: Record<string, string>;
  traffic: Traffic;
  concurrency: number;
  /** Requests go on for this long; those under way are brought to their end. */
  ms: number;
}

export interface LoadResult {
  requests: number;
  /** From the first request to the end of the last one. */
  elapsedMs: number;
  /** JSON: from sending to the end of the answer. Stream: from sending to its first event. */
  firstMs: { p50: number; p99: number };
  /** Events of streams. Delay: from its making in the upstream to its arrival. */
  events: number;
  delayMs: { p50: number; p99: number };
  /** Anything but a whole answer with status 200, the first one in words. */
  failed: number;
  failure: string | null;
}

/** One stream: as many events as a short answer has tokens, as fast as a fast engine makes them. */
export const STREAM_EVENTS = 100;
export const EVENT_EVERY_MS = 10;

/** A request as small chats send it; the answer has about the same size. */
export const REQUEST_BODY = JSON.stringify({
  model: "bench",
  max_tokens: 100,
  messages: [
    { role: "user", content: "Which rivers does the headrace of a water mill take its water from? ".repeat(4) },
  ],
});

/** Milliseconds on a clock that every process of the machine shares. */
export function sharedNowMs(): number {
  return performance.timeOrigin + performance.now();
}
