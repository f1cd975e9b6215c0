import { LinkError } from "../link/errors.ts";
import { wholeOf } from "../link/flows.ts";
import type { ReceivedAnswer } from "../link/types.ts";
import { REFUSED_HEADER } from "../wire/index.ts";
import type { RequestBody } from "./body.ts";
import type { Directory } from "./directory.ts";
import { Refusal } from "./errors.ts";
import { headerOf } from "./headers.ts";
import {
  ATTEMPTS_MAX,
  DELIVERIES_MAX,
  LINK_AWAITED_MS_MAX,
  LINKS_AWAITED_MAX,
  TARGETS_TRIED_MAX,
  TURNED_AWAY_BYTES_MAX,
} from "./limits.ts";
import { type Choice, type Load, tooMany } from "./load.ts";
import type { OpenToReplica, ReplicaWay, RouteTarget, ServiceEntry } from "./types.ts";
import type { Waits } from "./waits.ts";

/** A request on its way to some replica of a service. */
export interface Call {
  entry: ServiceEntry;
  method: string;
  /** With its query, in the spelling that was checked. */
  path: string;
  headers: [string, string][];
  body: RequestBody;
  /** Aborts when the client is gone or nothing moves; its reason is a Refusal. */
  signal: AbortSignal;
}

export interface Forwarder {
  directory: Directory;
  load: Load;
  waits: Waits;
  /** Milliseconds of a clock that never goes back. */
  now: () => number;
  wayTo: (project: string, target: RouteTarget) => ReplicaWay | null;
}

/**
 * What an attempt came to.
 * - `absent`: the host has no link
 * - `undelivered`: no replica has seen the request
 * - `turned_away`: its router had none for it
 */
type Outcome =
  | { kind: "answered"; answer: ReceivedAnswer; release: () => void }
  | { kind: "turned_away"; answer: ReceivedAnswer }
  | { kind: "absent" | "undelivered" | "failed"; refusal: Refusal; spent: boolean };

/** What going through the targets of a service came to. `isCutOff`: nothing but links that are not there hindered it. */
type Round =
  | { kind: "answered"; answer: ReceivedAnswer; release: () => void }
  | { kind: "refused"; refusal: Refusal; entry: ServiceEntry; isCutOff: boolean };

/**
 * Sends a request to one target after another until one answers. Where none of their hosts has a link, and one is
 * expected back, a request that can be sent again waits for it: no replica has seen anything of it.
 * @returns the answer, and what to call when it has been passed on.
 * @throws Refusal.
 */
export async function forward(call: Call, by: Forwarder): Promise<{ answer: ReceivedAnswer; release: () => void }> {
  let until: number | null = null;
  let { entry } = call;
  for (let waits = 0; ; waits += 1) {
    const round = await tryTargets(call, entry, by);
    if (round.kind === "answered") return round;
    const mayWait = round.isCutOff && call.body.kind !== "stream" && waits < LINKS_AWAITED_MAX;
    until ??= by.now() + LINK_AWAITED_MS_MAX;
    if (!mayWait || !(await by.waits.forWay(round.entry, until, call.signal))) throw round.refusal;
    entry = round.entry;
  }
}

/**
 * Goes through the targets once. What reached no replica (no link, a refusal of its agent) costs an attempt and one new
 * look at the service; what may have reached one is tried once more; a body that cannot be sent again is not. A router
 * without a worker, as one that began again a moment ago, may have a neighbour that has some; its own answer is passed
 * on where there is none.
 */
async function tryTargets(call: Call, since: ServiceEntry, by: Forwarder): Promise<Round> {
  const tried = new Set<string>();
  let entry = since;
  let looked = false;
  let attempts = 0;
  let deliveries = 0;
  let isCutOff = true;
  let last: Refusal | ReceivedAnswer | null = null;
  while (attempts < ATTEMPTS_MAX && tried.size < TARGETS_TRIED_MAX) {
    const choice = by.load.choose(entry, tried, (target) => by.wayTo(entry.project, target));
    if (choice.kind !== "target") {
      const isAnswered = last !== null && !(last instanceof Refusal);
      if (!looked && !isAnswered && choice.kind !== "full") {
        looked = true;
        entry = await lookAgain(entry, by.directory);
        continue;
      }
      isCutOff &&= choice.kind !== "full" && (choice.kind === "unreachable" || tried.size > 0);
      last ??= refusalOf(choice, entry);
      break;
    }
    tried.add(choice.target.replica);
    const outcome = await attempt(call, entry, choice, by.load);
    if (outcome.kind === "answered") return outcome;
    const isAbsent = outcome.kind === "absent";
    isCutOff &&= isAbsent;
    if (!isAbsent) attempts += 1;
    if (outcome.kind === "turned_away") {
      last = outcome.answer;
      continue;
    }
    if (outcome.kind === "failed") deliveries += 1;
    last = outcome.refusal;
    if (outcome.spent || deliveries >= DELIVERIES_MAX) break;
  }
  if (last instanceof Refusal) return { kind: "refused", refusal: last, entry, isCutOff };
  return { kind: "answered", answer: last!, release: () => undefined };
}

async function attempt(
  call: Call,
  entry: ServiceEntry,
  { target, way }: Extract<Choice, { kind: "target" }>,
  load: Load,
): Promise<Outcome> {
  const { method, path, headers, body, signal } = call;
  const open: OpenToReplica = { kind: "http", replica: target.replica, method, path, headers };
  const bytes = body.kind === "none" ? null : body.kind === "kept" ? body.bytes : body.flow;
  const once = body.kind === "stream";
  const release = load.take(entry.project, target);
  let passedOn = false;
  try {
    const answer = await way.request(open, bytes, signal);
    const refused = answer.head.status === 421 ? headerOf(answer.head.headers, REFUSED_HEADER) : null;
    if (refused === null && !once && isTurnedAway(answer, entry)) {
      return { kind: "turned_away", answer: { ...answer, body: await wholeOf(answer.body, TURNED_AWAY_BYTES_MAX) } };
    }
    if (refused === null) {
      passedOn = true;
      return { kind: "answered", answer, release };
    }
    discard(answer);
    const refusal = target.unready ? notReady(entry) : refused === "unreachable" ? unreachable(entry) : moved(entry);
    return { kind: "undelivered", refusal, spent: once };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (!(error instanceof LinkError)) throw error;
    if (error.code === "too_large") throw headersTooLarge();
    if (error.code === "busy") {
      return { kind: "undelivered", refusal: tooMany(`the host of ${entry.service} has too many`), spent: false };
    }
    if (error.code === "closed" && !error.sent) {
      return { kind: "absent", refusal: notConnected(entry), spent: false };
    }
    const refusal = new Refusal(502, "replica_failed", `a replica of ${entry.service} failed: ${error.message}`);
    return { kind: error.sent ? "failed" : "undelivered", refusal, spent: once && error.sent };
  } finally {
    if (!passedOn) release();
  }
}

/** Whether a router says that it had no worker for the request, in few enough bytes to be kept. */
function isTurnedAway({ head }: ReceivedAnswer, { noWorker }: ServiceEntry): boolean {
  if (noWorker === null || !noWorker.codes.includes(headerOf(head.headers, noWorker.header) ?? "")) return false;
  return Number(headerOf(head.headers, "content-length") ?? Number.NaN) <= TURNED_AWAY_BYTES_MAX;
}

export function headersTooLarge(): Refusal {
  return new Refusal(431, "headers_too_large", "the request's headers are too many or too large; send fewer");
}

async function lookAgain(entry: ServiceEntry, directory: Directory): Promise<ServiceEntry> {
  const found = await directory.service(entry.project, entry.service, 0);
  if (found === null) throw new Refusal(404, "service_not_found", `service ${entry.service} has just been deleted`);
  return found;
}

function refusalOf({ kind }: Choice, entry: ServiceEntry): Refusal {
  if (kind === "full") return tooMany(`all replicas of ${entry.service} have as many requests as they take`);
  if (kind === "unreachable") return notConnected(entry);
  return notReady(entry);
}

function notReady(entry: ServiceEntry): Refusal {
  return new Refusal(503, "no_replica", entry.message || `no replica of ${entry.service} is ready`);
}

function notConnected(entry: ServiceEntry): Refusal {
  return new Refusal(503, "hosts_unreachable", `the hosts of ${entry.service} are not connected; try again`);
}

function moved(entry: ServiceEntry): Refusal {
  return new Refusal(503, "replica_moved", `a replica of ${entry.service} has just moved; send the request again`);
}

function unreachable(entry: ServiceEntry): Refusal {
  return new Refusal(502, "replica_unreachable", `a replica of ${entry.service} accepts no connection`);
}

/** Ends an answer that nobody gets. */
export function discard({ body }: ReceivedAnswer): void {
  if (body !== null && !(body instanceof Uint8Array)) body.cancel(new Error("the answer is not wanted"));
}
