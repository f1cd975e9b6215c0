import { replicasOf } from "../core/routes.ts";
import { streamOf } from "../link/flows.ts";
import type { Project } from "./project.ts";
import { ControlError } from "./types.ts";

/** Replicas whose logs one request may read at once. */
const REPLICAS_MAX = 100;
/** A line longer than this is passed on in pieces rather than held. */
const LINE_BYTES_MAX = 64 * 1024;

/**
 * The logs of a service's replicas as newline-separated JSON, whole lines of several replicas mixed as they come.
 * @throws ControlError `not_found` for a service or replica that does not exist, `unavailable` when none of the hosts
 *   can be asked
 */
export async function mergedLogs(
  project: Project,
  service: string,
  options: { replica?: string; tailLines: number; follow: boolean },
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const sources = await openLogs(project, service, options, signal);
  const only = sources.length === 1 ? sources[0] : undefined;
  if (only !== undefined) return only;
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const copies = sources.map((source) => copyLines(source, (lines) => writer.write(lines)));
  Promise.all(copies)
    .then(
      () => writer.close(),
      (error) => writer.abort(error),
    )
    .catch(() => {
      // The reader is gone; its signal ends the sources.
    });
  return readable;
}

async function openLogs(
  project: Project,
  service: string,
  { replica: wanted, tailLines, follow }: { replica?: string; tailLines: number; follow: boolean },
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>[]> {
  const state = await project.controller.state();
  if (!state.tables.service.byId.has(service)) {
    throw new ControlError("not_found", `there is no service ${service}: see headrace ps`);
  }
  const replicas = replicasOf(state, service).filter((replica) => wanted === undefined || replica.id === wanted);
  if (wanted !== undefined && replicas.length === 0) {
    throw new ControlError("not_found", `service ${service} has no replica ${wanted}; see headrace ps ${service}`);
  }
  const bodies: ReadableStream<Uint8Array>[] = [];
  const refusals: string[] = [];
  await Promise.all(
    replicas.slice(0, REPLICAS_MAX).map(async (replica) => {
      const [jobId] = state.tables.job.ids("replica", replica.id);
      const job = jobId === undefined ? undefined : state.tables.job.byId.get(jobId);
      const link = job ? project.presence.link(job.host) : null;
      if (!job || !link) {
        refusals.push(`${replica.id}: ${job ? whyNoLogs(project, job.host) : "it runs on no host yet"}`);
        return;
      }
      try {
        const answer = await link.request({ kind: "logs", replica: replica.id, tailLines, follow }, null, signal);
        if (answer.head.status === 200) bodies.push(streamOf(answer.body));
        else refusals.push(`${replica.id}: its host answered ${answer.head.status}`);
      } catch (error) {
        refusals.push(`${replica.id}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }),
  );
  if (bodies.length === 0 && refusals.length > 0) {
    throw new ControlError("unavailable", `no log can be read: ${refusals.join("; ")}`);
  }
  return bodies;
}

function whyNoLogs(project: Project, host: string): string {
  if (!project.presence.isUnlinked(host)) return "its host is not connected";
  return "its host's network lets no link through, so its logs can be read only on the host";
}

/** Passes a source on in whole lines, so that lines of several sources do not mix. */
async function copyLines(
  source: ReadableStream<Uint8Array>,
  write: (lines: Uint8Array) => Promise<void>,
): Promise<void> {
  let rest = new Uint8Array();
  for await (const chunk of source) {
    const joined = new Uint8Array(rest.length + chunk.length);
    joined.set(rest);
    joined.set(chunk, rest.length);
    const end = joined.length > LINE_BYTES_MAX ? joined.length : joined.lastIndexOf(NEWLINE) + 1;
    if (end > 0) await write(joined.slice(0, end));
    rest = joined.slice(end);
  }
  if (rest.length > 0) await write(rest);
}

const NEWLINE = 10;
