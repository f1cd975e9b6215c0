import {
  engineAdapter,
  type HttpQuestion,
  ROUTER_KEY,
  type RouterAdapter,
  routerAdapter,
} from "../../src/adapters/index.ts";
import type { DesiredJob } from "../../src/wire/index.ts";
import type { JobAnswer, JobAsker, JobQuestion } from "./ask.ts";
import type { Action, Answer } from "./decide/types.ts";
import { isSilent } from "./hear-port.ts";
import { type PortHolder, takenText } from "./port-holder.ts";
import { reachPort } from "./reach-port.ts";

/** For what adapters ask. A hung engine or router costs this and no more; a busy one answers within a second or two. */
const ADAPTER_TIMEOUT_MS = 5_000;

export type Question = Extract<Action, { kind: "ask" | "list" | "add" | "delete" | "reach" | "hear" }>;

/** What is known on the host itself. */
export interface OwnHost {
  /** How many requests the link has open on a port. */
  openRequests(port: number): number;
  /** Who listens on the port of a job. */
  holderOf(job: DesiredJob): Promise<PortHolder>;
}

/** Puts a question of a decision into HTTP, TCP or to the host, and reads the answer by the job's adapter. Never throws. */
export async function answerQuestion(
  question: Question,
  job: DesiredJob | null,
  asker: JobAsker,
  host: OwnHost,
): Promise<Answer> {
  if (question.kind === "reach") return reach(question.url);
  if (question.kind === "hear") return hear(question.url);
  if (question.kind !== "ask") return route(question, job, asker);
  // An engine that is not known cannot be asked; where all of its requests come over the link, we know ourselves.
  if (question.check === "idle" && job && job.engine === null && !job.behindRouter) {
    const { incarnation } = question;
    return { kind: "idle", job: question.job, incarnation, idle: host.openRequests(job.port) === 0, refused: false };
  }
  if (question.check === "port") return lookAtPort(question, job, host);
  return check(question, job, asker);
}

async function reach(url: string): Promise<Answer> {
  const place = placeOf(url);
  return { kind: "reached", url, ok: place !== null && (await reachPort(place.host, place.port)) === null };
}

/** A connection that is refused is no silence: `reach` tells of that, and sooner. */
async function hear(url: string): Promise<Answer> {
  const place = placeOf(url);
  return { kind: "heard", url, ok: place === null || !(await isSilent(place.host, place.port)) };
}

/** @returns null for what is no URL: another host says what its address is */
function placeOf(url: string): { host: string; port: number } | null {
  const parsed = URL.parse(url);
  if (parsed === null) return null;
  const { hostname, port } = parsed;
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || "80") };
}

async function lookAtPort(
  { job: id, incarnation }: Extract<Question, { kind: "ask" }>,
  job: DesiredJob | null,
  host: OwnHost,
): Promise<Answer> {
  const name = { kind: "checked", job: id, incarnation, check: "port" } as const;
  if (job === null) return { ...name, ok: false, detail: NOT_WANTED.failed };
  const holder = await host.holderOf(job).catch((): PortHolder => ({ kind: "unknown" }));
  switch (holder.kind) {
    case "nobody":
      // Whether it is "yet" or "any more" is the decision's to know.
      return { ...name, ok: false, detail: "" };
    case "stranger":
      return { ...name, ok: false, detail: takenText(job.port, holder.name) };
    default:
      // What cannot be seen says nothing against it.
      return { ...name, ok: true, detail: "" };
  }
}

async function check(
  question: Extract<Question, { kind: "ask" }>,
  job: DesiredJob | null,
  asker: JobAsker,
): Promise<Answer> {
  const name = { job: question.job, incarnation: question.incarnation };
  switch (question.check) {
    case "identify": {
      const { identify } = engineAdapter(job?.engine ?? null) ?? {};
      const answer = await askAdapter(asker, job, identify?.question);
      const identity = "status" in answer ? (identify?.read(answer.status, answer.body) ?? null) : null;
      return { kind: "identified", ...name, identity, detail: identity === null ? whyNot(answer) : "" };
    }
    case "idle": {
      const { idle } = engineAdapter(job?.engine ?? null) ?? {};
      const answer = await askAdapter(asker, job, idle?.question);
      const refused = "failed" in answer && answer.refused;
      const read = "status" in answer ? (idle?.read(answer.status, answer.body) ?? null) : null;
      return { kind: "idle", ...name, idle: read, refused };
    }
    case "readiness": {
      const { readiness } = routerAdapter(job?.router ?? null) ?? {};
      const answer = await askAdapter(asker, job, readiness?.question);
      const ok = "status" in answer && readiness?.read(answer.status, answer.body) === true;
      return { kind: "checked", ...name, check: question.check, ok, detail: whyNot(answer) };
    }
    default: {
      const probe = job?.probes[Number(question.check.slice("probe:".length))];
      const answer = job && probe ? await asker.ask({ port: job.port, ...probe }) : NOT_WANTED;
      const ok = "status" in answer && answer.status >= 200 && answer.status < 300;
      return { kind: "checked", ...name, check: question.check, ok, detail: whyNot(answer) };
    }
  }
}

async function route(
  question: Extract<Question, { kind: "list" | "add" | "delete" }>,
  job: DesiredJob | null,
  asker: JobAsker,
): Promise<Answer> {
  const name = { job: question.job, incarnation: question.incarnation };
  const adapter = routerAdapter(job?.router ?? null);
  if (question.kind === "list") {
    const answer = await askRouter(asker, job, adapter, adapter?.list.question);
    const workers = "status" in answer ? (adapter?.list.read(answer.status, answer.body) ?? null) : null;
    return { kind: "listed", ...name, workers };
  }
  if (question.kind === "add") {
    const answer = await askRouter(asker, job, adapter, adapter?.add(question.worker));
    // 409: the URL is listed already, which the next reading of the list shows.
    return { kind: "added", ...name, url: question.worker.url, ok: accepted(answer, 409), detail: whyNot(answer) };
  }
  const answer = await askRouter(asker, job, adapter, adapter?.remove(question.handle));
  return { kind: "removed", ...name, handle: question.handle, ok: accepted(answer, 404), detail: whyNot(answer) };
}

const NOT_WANTED = { failed: "the job is not wanted any more", refused: false } satisfies JobAnswer;

function askAdapter(
  asker: JobAsker,
  job: DesiredJob | null,
  question: HttpQuestion | undefined,
  headers: JobQuestion["headers"] = [],
): Promise<JobAnswer> {
  if (job === null || question === undefined) return Promise.resolve(NOT_WANTED);
  return asker.ask({ port: job.port, timeoutMs: ADAPTER_TIMEOUT_MS, headers, ...question });
}

/** A router that was given a key asks for it; one that was given none does not look at it. */
function askRouter(
  asker: JobAsker,
  job: DesiredJob | null,
  adapter: RouterAdapter | null,
  question: HttpQuestion | undefined,
): Promise<JobAnswer> {
  const key = job?.launch.env[ROUTER_KEY];
  return askAdapter(asker, job, question, key !== undefined && adapter ? [adapter.authorization(key)] : []);
}

function accepted(answer: JobAnswer, alsoFine: number): boolean {
  return "status" in answer && ((answer.status >= 200 && answer.status < 300) || answer.status === alsoFine);
}

/** Statuses only: a body is the user's, and may hold what should not be told. */
function whyNot(answer: JobAnswer): string {
  return "status" in answer ? `answered ${answer.status}` : answer.failed;
}
