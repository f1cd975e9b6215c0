import { type Dispatcher, Pool } from "undici";
import { type LoadOrder, type LoadResult, REQUEST_BODY, STREAM_EVENTS, sharedNowMs } from "./traffic.ts";

/** The load generator, a process of its own: it is told orders by its parent and answers each with what it saw. */
process.on("message", async (order: LoadOrder) => {
  process.send?.(await load(order));
});
process.on("disconnect", () => process.exit(0));

const END_OF_EVENT = "\n\n";

interface Seen {
  first: number[];
  delays: number[];
  requests: number;
  failed: number;
  failure: string | null;
}

async function load(order: LoadOrder): Promise<LoadResult> {
  const { origin, pathname } = new URL(order.url);
  const pool = new Pool(origin, { connections: order.concurrency, pipelining: 1 });
  const seen: Seen = { first: [], delays: [], requests: 0, failed: 0, failure: null };
  const began = performance.now();
  const until = began + order.ms;
  const client = async () => {
    do await ask(pool, pathname, order, seen);
    while (performance.now() < until && seen.failed === 0);
  };
  await Promise.all(Array.from({ length: order.concurrency }, client));
  const elapsedMs = performance.now() - began;
  await pool.destroy();
  return {
    requests: seen.requests,
    elapsedMs,
    firstMs: percentiles(seen.first),
    events: seen.delays.length,
    delayMs: percentiles(seen.delays),
    failed: seen.failed,
    failure: seen.failure,
  };
}

function ask(pool: Pool, path: string, order: LoadOrder, seen: Seen): Promise<void> {
  return new Promise((resolve) => {
    const began = performance.now();
    let events = 0;
    let status = 0;
    let text = "";
    const finish = (failure: string | null) => {
      seen.requests += 1;
      if (failure !== null) {
        seen.failed += 1;
        seen.failure ??= failure;
      }
      resolve();
    };
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => undefined,
      onResponseStart: (_controller, statusCode) => {
        status = statusCode;
      },
      onResponseData: (_controller, chunk) => {
        text += chunk.toString();
        if (order.traffic === "json" || status !== 200) return;
        const whole = text.lastIndexOf(END_OF_EVENT);
        if (whole < 0) return;
        if (events === 0) seen.first.push(performance.now() - began);
        events += noteDelays(text.slice(0, whole), seen.delays);
        text = text.slice(whole + END_OF_EVENT.length);
      },
      onResponseEnd: () => {
        if (status !== 200) return finish(`status ${status}: ${text.slice(0, 300)}`);
        if (order.traffic === "json") seen.first.push(performance.now() - began);
        else if (events !== STREAM_EVENTS) return finish(`a stream of ${events} events, not ${STREAM_EVENTS}`);
        finish(null);
      },
      onResponseError: (_controller, error) => finish(error.message),
    };
    const headers = { "content-type": "application/json", ...order.headers };
    pool.dispatch({ path, method: "POST", headers, body: REQUEST_BODY }, handler);
  });
}

/** Reads the events of a piece of a stream; several may have come together. @returns how many */
function noteDelays(events: string, delays: number[]): number {
  const now = sharedNowMs();
  const made = [...events.matchAll(/"madeAt":([\d.]+)/g)];
  for (const [, madeAt] of made) delays.push(now - Number(madeAt));
  return made.length;
}

function percentiles(values: number[]): { p50: number; p99: number } {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}
