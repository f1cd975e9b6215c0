import { replicasOf } from "../core/services/routes.ts";
import { streamOf } from "../link/flows.ts";
import type { Project } from "./project.ts";
import { ControlError } from "./types.ts";
import type { UnreadLog } from "./views/views.ts";

/** Replicas whose logs one request may read at once; fewer where it may lead to fewer others. */
const REPLICAS_MAX = 100;
/** A line longer than this is passed on in pieces rather than held. */
const LINE_BYTES_MAX = 64 * 1024;

/** A replica's log, or why there is none. */
type Source = { replica: string; host: string; body: ReadableStream<Uint8Array> } | { replica: string; why: string };

/**
 * The logs of a service's replicas as newline-separated JSON, whole lines of several replicas mixed as they come. One that
 * cannot be read, or not to its end, takes nothing from the others: a line in its place says so (`unreadLog`).
 * @throws ControlError `not_found` for a service or replica that does not exist, `unavailable` when none of the hosts
 *   can be asked
 */
export async function mergedLogs(
  project: Project,
  service: string,
  options: { replica?: string; tailLines: number; follow: boolean },
  signal: AbortSignal,
  requestsMax: number,
): Promise<ReadableStream<Uint8Array>> {
  const sources = await openLogs(project, service, options, signal, Math.min(REPLICAS_MAX, requestsMax));
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const copies = sources.map((source) => copyLog(source, (lines) => writer.write(lines)));
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

/** Passes a log on, up to where it ends or breaks off. @throws what `write` throws, once the reader is gone */
async function copyLog(source: Source, write: (lines: Uint8Array) => Promise<void>): Promise<void> {
  if (!("body" in source)) return write(unreadLine(source.replica, `no log of ${source.replica}: ${source.why}`));
  const { replica, host, body } = source;
  const broken = `the log of ${replica} breaks off here: the connection to its host ${host} was lost`;
  await copyLines(body, write).catch(() => write(unreadLine(replica, broken)));
}

function unreadLine(replica: string, message: string): Uint8Array {
  const line: UnreadLog = { replica, error: { code: "unavailable", message } };
  return new TextEncoder().encode(`${JSON.stringify(line)}\n`);
}

async function openLogs(
  project: Project,
  service: string,
  { replica: wanted, tailLines, follow }: { replica?: string; tailLines: number; follow: boolean },
  signal: AbortSignal,
  replicasMax: number,
): Promise<Source[]> {
  const state = await project.controller.state();
  if (!state.tables.service.byId.has(service)) {
    throw new ControlError("not_found", `there is no service ${service}: see headrace ps`);
  }
  const replicas = replicasOf(state, service).filter((replica) => wanted === undefined || replica.id === wanted);
  if (wanted !== undefined && replicas.length === 0) {
    throw new ControlError("not_found", `service ${service} has no replica ${wanted}; see headrace ps ${service}`);
  }
  const placed = replicas.flatMap((replica) => {
    const [jobId] = state.tables.job.ids("replica", replica.id);
    const job = jobId === undefined ? undefined : state.tables.job.byId.get(jobId);
    return job
      ? [{ replica: replica.id, host: job.host, name: state.tables.host.byId.get(job.host)?.name ?? job.host }]
      : [];
  });
  if (placed.length === 0 && replicas.length > 0) {
    throw new ControlError("unavailable", `no log can be read: ${replicas[0]?.id} runs on no host yet`);
  }
  const sources = await Promise.all(
    placed.map(async ({ replica, host, name }, index): Promise<Source> => {
      if (index >= replicasMax) {
        return {
          replica,
          why: `logs of ${replicasMax} replicas at most are read at once; read this one with --replica`,
        };
      }
      const link = project.presence.link(host);
      if (!link) return { replica, why: whyNoLogs(project, host, name) };
      try {
        const answer = await link.request({ kind: "logs", replica, tailLines, follow }, null, signal);
        if (answer.head.status === 200) return { replica, host: name, body: streamOf(answer.body) };
        return { replica, why: `its host ${name} answered ${answer.head.status}` };
      } catch (error) {
        return { replica, why: error instanceof Error ? error.message : String(error) };
      }
    }),
  );
  const refusals = sources.flatMap((source) => ("why" in source ? [`${source.replica}: ${source.why}`] : []));
  if (refusals.length > 0 && refusals.length === sources.length) {
    throw new ControlError("unavailable", `no log can be read: ${refusals.join("; ")}`);
  }
  return sources;
}

function whyNoLogs(project: Project, host: string, name: string): string {
  if (!project.presence.isUnlinked(host)) return `its host ${name} is not connected`;
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
