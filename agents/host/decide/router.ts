import type { ListedWorker } from "../../../src/adapters/types.ts";
import type { DesiredJob, DesiredWorker } from "../../../src/wire/index.ts";
import { checksOf } from "./checks.ts";
import {
  ROUTER_CHANGED_INTERVAL_MS,
  ROUTER_CHANGES_MAX,
  ROUTER_LIST_INTERVAL_MS,
  ROUTER_OFFER_INTERVAL_MS,
  ROUTER_OFFER_SETTLED_MS,
  ROUTER_STARTING_INTERVAL_MS,
} from "./timing.ts";
import type { Turn } from "./turn.ts";
import type { Answer, Instant, JobMemory, RouterMemory } from "./types.ts";

interface Changes {
  add: DesiredWorker[];
  remove: ListedWorker[];
}

export function newRouter(incarnation: string, now: Instant): RouterMemory {
  return {
    incarnation,
    waiting: false,
    nextAt: now,
    listed: null,
    outdated: false,
    pending: 0,
    removed: [],
    offered: {},
    registered: {},
    replicas: {},
    synced: 0,
  };
}

/**
 * Keeps one router's list equal to the desired one: reads it, asks for what differs, reads it again. Nothing is
 * concluded from a list that was read before a change was asked for.
 *
 * @param sound URLs of the workers that can be sent to
 * @param connects whether the last attempt to connect to a URL succeeded
 */
export function syncRouter(
  turn: Turn,
  job: DesiredJob,
  version: number,
  router: RouterMemory,
  sound: ReadonlySet<string>,
  connects: (url: string) => boolean,
): void {
  rememberReplicas(job, router);
  if (router.pending > 0) return;
  if (router.listed !== null && !router.outdated) {
    const changes = routerChanges(job.workers, router, sound, connects, turn.now);
    if (changes.add.length + changes.remove.length > 0) {
      askChanges(turn, job, router, changes);
      return;
    }
    if (isSettled(turn, job, router)) router.synced = Math.max(router.synced, version);
  }
  turn.ask(router, { kind: "list", job: job.job, incarnation: router.incarnation });
}

/**
 * What differs between the wanted list and the router's, by URL.
 *
 * A worker that is not sound (it cannot be reached, or is silent) is taken out only while another of its role is listed
 * and is: the last one stays, there being nothing better to send to. One that is no longer wanted goes in any case.
 *
 * Only a worker that was connected to just now is offered. SMG goes on trying to reach one that is not there for half
 * an hour, unseen in its list and past any withdrawal, and would list whatever listens at that address by then.
 */
function routerChanges(
  workers: DesiredWorker[],
  router: Pick<RouterMemory, "listed" | "offered" | "registered">,
  sound: ReadonlySet<string>,
  connects: (url: string) => boolean,
  now: Instant,
): Changes {
  const wanted = new Map(workers.map((worker) => [worker.url, worker]));
  const listed = router.listed ?? [];
  const live = listed.filter((entry) => entry.status !== "draining");
  const isGood = (worker: DesiredWorker) => sound.has(worker.url);
  const wantedLive = live.flatMap((entry) => wanted.get(entry.url) ?? []);
  const goodRoles = new Set<string>(wantedLive.filter(isGood).map((worker) => worker.role));
  const listedUrls = new Set(listed.map((entry) => entry.url));

  const remove = live.filter((entry) => {
    const worker = wanted.get(entry.url);
    if (worker === undefined) return true;
    // A registration that differs although it is our own is the router's reading of it; asking again would not help.
    if (differs(worker, entry) && router.registered[worker.url] !== fingerprint(worker)) return true;
    return !isGood(worker) && goodRoles.has(worker.role);
  });
  const add = workers.filter((worker) => {
    if (listedUrls.has(worker.url)) return false;
    const offer = router.offered[worker.url];
    if (offer !== undefined && now - offer.at < ROUTER_OFFER_INTERVAL_MS) return false;
    return isGood(worker) && connects(worker.url);
  });
  return { add, remove };
}

/** Takes in one answer of a router; answers of an earlier incarnation are not given here. */
export function noteRouter(
  router: RouterMemory,
  answer: Extract<Answer, { kind: "listed" | "added" | "removed" }>,
  now: Instant,
): void {
  if (answer.kind === "listed") noteList(router, answer.workers, now);
  else {
    router.pending = Math.max(0, router.pending - 1);
    // A refused change is not repeated at once: the router would be asked as fast as it can refuse.
    const pause = answer.ok ? ROUTER_CHANGED_INTERVAL_MS : ROUTER_LIST_INTERVAL_MS;
    router.nextAt = Math.max(router.nextAt, now + pause);
    if (answer.kind === "added") {
      const offer = router.offered[answer.url];
      if (offer !== undefined) offer.detail = answer.ok ? "" : answer.detail;
    } else if (answer.ok) router.removed.push(answer.handle);
  }
}

/** The replicas that new requests can reach through the router, as far as is known. Sorted. */
export function listedReplicas(router: RouterMemory): string[] {
  const replicas = new Set<string>();
  for (const { status, handle, url } of router.listed ?? []) {
    if (status === "draining" || router.removed.includes(handle)) continue;
    // The URL is the router's word: `constructor` must not find what every object has.
    if (Object.hasOwn(router.replicas, url)) replicas.add(router.replicas[url] as string);
  }
  return [...replicas].sort();
}

/**
 * Whether new requests may be sent to a router. One that began again after this agent saw it end has no worker at first,
 * and answers with errors what another router could serve: it waits until it was ready once, or lists, ready, a worker
 * of each role that it shall have. Of one that was found running nothing is known, so it is trusted. One that was ready
 * and has lost the last worker of a role says so itself, and serves before anybody hears that it has one again; to one
 * that fails its own probes nothing is sent, since it may hang, or a stranger may have its port.
 */
export function mayPassOn(job: DesiredJob, { ends, run, router }: JobMemory): boolean {
  if (job.role !== "router") return true;
  if (run?.everReady === true) {
    return checksOf(job).every(({ name }) => name === "readiness" || run.checks[name]?.passing !== false);
  }
  if (ends.length === 0) return true;
  const ready = (router?.listed ?? []).filter(({ status }) => status === "ready").map(({ role }) => role);
  return job.workers.every(({ role }) => ready.includes(role));
}

function noteList(router: RouterMemory, workers: ListedWorker[] | null, now: Instant): void {
  router.waiting = false;
  const first = router.listed === null;
  router.nextAt = now + (workers === null && first ? ROUTER_STARTING_INTERVAL_MS : ROUTER_LIST_INTERVAL_MS);
  if (workers === null) return;
  // A trailing slash would make a second worker of the same URL.
  router.listed = workers.map((entry) => ({ ...entry, url: entry.url.replace(/\/+$/, "") }));
  router.outdated = false;
  router.removed = [];
  for (const entry of router.listed) delete router.offered[entry.url];
}

function askChanges(turn: Turn, job: DesiredJob, router: RouterMemory, changes: Changes): void {
  const name = { job: job.job, incarnation: router.incarnation };
  const remove = changes.remove.slice(0, ROUTER_CHANGES_MAX);
  const add = changes.add.slice(0, ROUTER_CHANGES_MAX - remove.length);
  for (const entry of remove) {
    delete router.registered[entry.url];
    turn.act({ kind: "delete", ...name, handle: entry.handle });
  }
  for (const worker of add) {
    router.offered[worker.url] = { at: turn.now, detail: "" };
    router.registered[worker.url] = fingerprint(worker);
    turn.act({ kind: "add", ...name, worker });
  }
  router.pending = remove.length + add.length;
  router.outdated = true;
  router.nextAt = turn.now;
}

/** Whether no offer that was withdrawn can come up in the list any more. */
function isSettled(turn: Turn, job: DesiredJob, router: RouterMemory): boolean {
  const wanted = new Set(job.workers.map((worker) => worker.url));
  let settled = true;
  for (const [url, offer] of Object.entries(router.offered)) {
    if (wanted.has(url)) continue;
    if (turn.due(offer.at + ROUTER_OFFER_SETTLED_MS)) delete router.offered[url];
    else settled = false;
  }
  return settled;
}

/** Keeps the names of those that are wanted or still listed. */
function rememberReplicas(job: DesiredJob, router: RouterMemory): void {
  const urls = new Set([...(router.listed ?? []).map((entry) => entry.url), ...Object.keys(router.offered)]);
  for (const url of Object.keys(router.replicas)) if (!urls.has(url)) delete router.replicas[url];
  for (const worker of job.workers) router.replicas[worker.url] = worker.replica;
}

function differs(worker: DesiredWorker, entry: ListedWorker): boolean {
  if (entry.role !== worker.role) return true;
  if (worker.bootstrapPort !== null && entry.bootstrapPort !== worker.bootstrapPort) return true;
  return Object.entries(worker.labels).some(([name, value]) => entry.labels[name] !== value);
}

/** Everything of a registration that matters to routing, in one string. */
function fingerprint(worker: DesiredWorker): string {
  const labels = Object.entries(worker.labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([worker.role, worker.bootstrapPort, labels]);
}
