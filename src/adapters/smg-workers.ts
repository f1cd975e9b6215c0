import * as z from "zod";
import { readJson } from "./json.ts";
import type { HttpQuestion, ListedWorker, RouterAdapter } from "./types.ts";

/**
 * How SMG itself watches a worker, set when it is added since a later change is not applied. A busy engine's `/health`
 * is slow (SGLang's takes 1 s, and up to 20 s under load), and SMG would give up even the last decode: so the time-out
 * is generous, and death is found by the agent, which connects. The entry of a removed worker goes after a fixed time,
 * whatever still runs on it; that time is short, because the agent asks the engine itself whether it is idle.
 */
const HEALTH = {
  check_interval_secs: 2,
  timeout_secs: 20,
  failure_threshold: 2,
  success_threshold: 1,
  drain_settle_secs: 1,
};

/**
 * SMG's circuit breaker: after ten failures in a row it sends nothing to a worker for as long as this, by default for a
 * minute, even when it is the only one of its role, and also when it was back and ready long ago. It takes the agent two
 * seconds to take out a worker that is gone; so long the breaker has to keep requests away, and no longer. For a worker
 * that refuses everything it costs one request every two seconds, which SMG sends to another one then.
 */
const RESILIENCE = { cb_timeout_secs: 2 };

/** What SGLang's prefill listens on unless told otherwise. Left out, SMG would send `null` to both sides. */
const BOOTSTRAP_PORT_DEFAULT = 8998;

const ROLES = { regular: "worker", prefill: "prefill", decode: "decode" } as const;
const WORKER_TYPES = { worker: "regular", prefill: "prefill", decode: "decode" } as const;

/** A UUID in every version so far; whatever it is, it has to fit into a path. */
const HANDLE = /^[\w.:-]{1,200}$/;

const workers = z.object({
  workers: z.array(
    z.object({
      id: z.string().regex(HANDLE),
      url: z.string(),
      worker_type: z.string(),
      // A status of a later version is read as the cautious one.
      status: z.enum(["pending", "ready", "not_ready", "failed", "draining"]).catch("not_ready"),
      labels: z.record(z.string(), z.string()).nullish(),
      bootstrap_port: z.int().nullish(),
    }),
  ),
});

/**
 * Reads the answer of `GET /workers`. Workers of kinds that we never add (encoders) are left out, so that nobody
 * removes them. A worker whose registration is still being tried is not in SMG's list.
 */
export function readWorkers(status: number, body: string): ListedWorker[] | null {
  const answer = readJson(workers, status, body);
  return (
    answer?.workers.flatMap((worker) => {
      const role = Object.hasOwn(ROLES, worker.worker_type) ? ROLES[worker.worker_type as keyof typeof ROLES] : null;
      if (role === null) return [];
      const { id, url, labels, bootstrap_port } = worker;
      return [
        {
          handle: id,
          url: withoutSlash(url),
          status: worker.status,
          role,
          labels: labels ?? {},
          bootstrapPort: bootstrap_port ?? null,
        },
      ];
    }) ?? null
  );
}

/** Asks SMG to list a worker; answered 202 (accepted, not yet ready) or 409 (that URL is listed, draining included). */
export const addWorker: RouterAdapter["add"] = ({ url, role, bootstrapPort, labels }): HttpQuestion => ({
  method: "POST",
  path: "/workers",
  body: JSON.stringify({
    url: withoutSlash(url),
    worker_type: WORKER_TYPES[role],
    connection_mode: "http",
    ...(role === "prefill" ? { bootstrap_port: bootstrapPort ?? BOOTSTRAP_PORT_DEFAULT } : {}),
    labels,
    health: HEALTH,
    resilience: RESILIENCE,
  }),
});

/** Asks SMG to send a worker nothing new; what runs there runs on. */
export function removeWorker(handle: string): HttpQuestion {
  return { method: "DELETE", path: `/workers/${encodeURIComponent(handle)}` };
}

/** To SMG `http://h:p/` is another worker than `http://h:p`, and removing the one removes both. */
function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}
