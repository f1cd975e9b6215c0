import { Readable } from "node:stream";
import type { LinkAnswer, LinkHandler, ReceivedBody } from "../../src/link/types.ts";
import { type DesiredJob, type DesiredState, type OpenToAgent, readOpenToAgent } from "../../src/wire/index.ts";
import { mayPassOn } from "./decide/router.ts";
import type { Memory } from "./decide/types.ts";
import type { Forwarder } from "./forward.ts";
import { stateOf } from "./job-report.ts";
import { refusal, refused } from "./refusal.ts";
import type { Runtime } from "./runtime/types.ts";

interface RequestParts {
  desired: () => DesiredState | null;
  memory: () => Memory;
  runtimeOf: (job: string) => Runtime | null;
  forwarder: Forwarder;
  /** The control plane has news. */
  wake: () => void;
}

/** Serves what the control plane opens on this host's link. */
export function serveRequests(parts: RequestParts): LinkHandler {
  return async (open, body, signal) => {
    const asked = readOpenToAgent(open);
    if (asked === null) return refusal(400, "unknown_request", "this agent does not know this kind of request");
    switch (asked.kind) {
      case "wake":
        parts.wake();
        return { head: { status: 204, headers: [] }, body: null };
      case "http":
        return forward(parts, asked, body, signal);
      case "logs":
        return logs(parts, asked, signal);
    }
  };
}

/** Only the replica that is meant gets a request, and only while it may serve: else the proxy has to look again. */
async function forward(
  parts: RequestParts,
  open: Extract<OpenToAgent, { kind: "http" }>,
  body: ReceivedBody,
  signal: AbortSignal,
): Promise<LinkAnswer> {
  const job = jobsOf(parts, open.replica).find((each) => serves(parts.memory(), each));
  if (job === undefined) return refused("not_here", `replica ${open.replica} does not run on this host`);
  return parts.forwarder.forward({ ...open, port: job.port, body }, signal);
}

function logs(parts: RequestParts, open: Extract<OpenToAgent, { kind: "logs" }>, signal: AbortSignal): LinkAnswer {
  const { replica, tailLines, follow } = open;
  const job = Object.entries(parts.memory().jobs).find(([, memory]) => memory.replica === replica)?.[0];
  const runtime = job === undefined ? null : parts.runtimeOf(job);
  if (job === undefined || runtime === null) {
    return refusal(404, "replica_not_here", `replica ${replica} is not on this host`);
  }
  const lines = runtime.logs(job, { tailLines, follow }, signal);
  return {
    head: { status: 200, headers: [["content-type", "application/x-ndjson"]] },
    body: Readable.toWeb(lines, { strategy: { highWaterMark: 0 } }) as ReadableStream<Uint8Array>,
  };
}

function jobsOf(parts: RequestParts, replica: string) {
  return (parts.desired()?.jobs ?? []).filter((job) => job.replica === replica);
}

function serves(memory: Memory, wanted: DesiredJob): boolean {
  const job = memory.jobs[wanted.job];
  if (job?.run?.alive !== true || job.run.termAt !== null) return false;
  return !["stopping", "ended", "backoff"].includes(stateOf(job)) && mayPassOn(wanted, job);
}
