import { createParser, type EventSourceMessage } from "eventsource-parser";
import { type CommitView, commitView } from "../control/views/views.ts";
import { ApiError, type HttpClient, ServerUnreachable } from "./client-http.ts";
import { HEARTBEAT_MS } from "./limits.ts";

export interface FollowOptions {
  /** A commit version; negative: with the newest so many; absent: from now on. */
  after?: number;
  signal: AbortSignal;
  /** Commits before `oldest` are no longer kept: what was read before may be out of date. */
  onGap?: (oldest: number) => void;
}

/** Waits before a new attempt, after so many failures in a row; then it is given up. About a minute in all. */
const RECONNECT_WAITS_MS = [500, 1_000, 2_000, 5_000, 10_000, 10_000, 15_000, 15_000];
/** A stream that sends nothing, not even three heartbeats, is dead though its socket may not know. */
const SILENCE_MS_MAX = 3 * HEARTBEAT_MS;
/** A commit holds at most a few hundred events. */
const EVENT_CHARS_MAX = 4 * 1024 * 1024;

/**
 * Yields commits as they are made, over as many connections as it takes: each goes on after the last commit that was
 * yielded, so none is lost and none comes twice. Ends when `signal` aborts.
 * @throws ApiError the server refuses
 * @throws ServerUnreachable it could not be reached for about a minute
 */
export async function* followCommits(
  http: HttpClient,
  path: string,
  options: FollowOptions,
): AsyncGenerator<CommitView> {
  let lastId: string | null = null;
  let failures = 0;
  // A stream that opens and ends at once is a failure too: only what comes later shows that all is well.
  const alive = () => {
    failures = 0;
  };
  while (!options.signal.aborted) {
    let failure: unknown = new ServerUnreachable("The server ends the stream of commits as soon as it is opened.");
    try {
      for await (const message of connection(http, path, lastId, options, alive)) {
        if (message.event === "gap") options.onGap?.(JSON.parse(message.data).oldest);
        if (message.event === "error") throw new ServerUnreachable(JSON.parse(message.data).message);
        if (message.event !== undefined) continue;
        alive();
        lastId = message.id ?? lastId;
        yield commitView.parse(JSON.parse(message.data));
      }
    } catch (error) {
      if (options.signal.aborted) return;
      if (error instanceof ApiError && error.status < 500 && error.status !== 429) throw error;
      failure = error;
    }
    const wait = RECONNECT_WAITS_MS[failures];
    if (wait === undefined) throw failure;
    failures += 1;
    // An abort ends the wait, and then the loop.
    await http.sleep(wait, options.signal).catch(() => {});
  }
}

async function* connection(
  http: HttpClient,
  path: string,
  lastId: string | null,
  options: FollowOptions,
  alive: () => void,
): AsyncGenerator<EventSourceMessage> {
  const watchdog = new AbortController();
  const signal = AbortSignal.any([options.signal, watchdog.signal]);
  const query = lastId === null && options.after !== undefined ? `?after=${options.after}` : "";
  const headers: Record<string, string> = lastId === null ? {} : { "Last-Event-ID": lastId };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => watchdog.abort(new ServerUnreachable("The server fell silent.")), SILENCE_MS_MAX);
  };
  try {
    heard();
    const response = await http.send({ method: "GET", path: `${path}${query}`, headers, stream: signal });
    const messages: EventSourceMessage[] = [];
    const parser = createParser({
      maxBufferSize: EVENT_CHARS_MAX,
      onEvent: (message) => messages.push(message),
      onComment: alive,
      onError: (error) => {
        if (error.type === "max-buffer-size-exceeded") throw new ServerUnreachable("An event is too large to be one.");
      },
    });
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      heard();
      parser.feed(decoder.decode(chunk, { stream: true }));
      yield* messages.splice(0);
    }
  } finally {
    clearTimeout(timer);
  }
}
