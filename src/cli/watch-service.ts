import { ApiError, type Client, ServerUnreachable } from "../api/client.ts";
import type { CommitView, ServiceView } from "../control/views/views.ts";

/** What is seen of a service while it is watched. `null`: there is none of this name. */
export type Sight =
  | { kind: "view"; view: ServiceView | null }
  | { kind: "commit"; commit: CommitView }
  | { kind: "unreachable"; message: string };

export interface WatchOptions {
  service: string;
  /** Commits after this version are shown. */
  after: number;
  signal: AbortSignal;
  /** Waits, and ends early without an error when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Observed facts (progress, probes) make no commit, so they are asked for. */
const POLL_MS = 1_000;

/** Commits that came while the reader was busy; of more, the oldest are left out, and the next view makes up for them. */
const COMMITS_WAITING_MAX = 1_000;

/**
 * Looks at a service once a second, and at once when a commit touches it, until `signal` aborts. A server that does not
 * answer is a sight, not an end: it may be restarting, and the service goes on without it.
 * @throws ApiError the server refuses to show it
 */
export async function* watchService(client: Client, options: WatchOptions): AsyncGenerator<Sight> {
  const { service } = options;
  const left = new AbortController();
  const signal = AbortSignal.any([options.signal, left.signal]);
  const commits: CommitView[] = [];
  let news = new AbortController();
  const follower = follow(client, options.after, signal, (commit) => {
    if (!commit.events.some((event) => event.service === service)) return;
    commits.push(commit);
    if (commits.length > COMMITS_WAITING_MAX) commits.shift();
    news.abort();
  });
  try {
    while (!signal.aborted) {
      for (const commit of commits.splice(0)) yield { kind: "commit", commit };
      yield await look(client, service);
      await options.sleep(POLL_MS, AbortSignal.any([signal, news.signal]));
      news = new AbortController();
    }
  } finally {
    left.abort();
    await follower;
  }
}

async function look(client: Client, service: string): Promise<Sight> {
  try {
    return { kind: "view", view: await client.service(service) };
  } catch (error) {
    if (error instanceof ApiError && error.code === "not_found") return { kind: "view", view: null };
    if (error instanceof ServerUnreachable) return { kind: "unreachable", message: error.message };
    if (error instanceof ApiError && error.status >= 500) return { kind: "unreachable", message: error.message };
    throw error;
  }
}

/** Views are enough to wait by, so the end of the stream is none of the watching; what it would say, a view says too. */
async function follow(
  client: Client,
  after: number,
  signal: AbortSignal,
  each: (commit: CommitView) => void,
): Promise<void> {
  try {
    for await (const commit of client.follow({ after, signal })) each(commit);
  } catch (error) {
    if (!(error instanceof ApiError || error instanceof ServerUnreachable || signal.aborted)) throw error;
  }
}
