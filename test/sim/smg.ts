import type { ListedWorker } from "../../src/adapters/types.ts";
import type { DesiredWorker } from "../../src/wire/index.ts";
import { Breaker } from "./breaker.ts";
import type { Process } from "./process.ts";
import type { World } from "./world.ts";

/** SMG connects to a worker that it was told of this long after it was told; a living one is listed then. */
const LISTED_AFTER_MS = { min: 20, max: 50 };
/** A worker that it could not connect to is tried again this often, so many times. */
const RETRY_MS = 30_000;
const TRIES_MAX = 60;
/** A worker that was taken out stays in the list as `draining` for this long. */
const DRAINING_MS = 1_000;
/** After SIGTERM it lives at least this long, and until its last stream has ended. */
const TERMINATE_MS = 5_000;
const TERMINATE_LOOK_MS = 500;

/**
 * SGLang's router as the agent's router sync sees it: a list of workers by URL that is changed by requests, takes
 * effect a little later, and is forgotten with the process.
 */
export class Smg {
  readonly process: Process;
  private readonly world: World;
  private readonly workers = new Map<string, ListedWorker>();
  private readonly breakers = new Map<ListedWorker, Breaker>();
  private isEnding = false;
  /** Addresses listed by a retry: of an offer that nobody can take back, long after it was made. */
  private readonly late = new Set<string>();

  constructor(world: World, process: Process) {
    this.world = world;
    this.process = process;
  }

  list(): ListedWorker[] {
    return [...this.workers.values()].map((worker) => ({ ...worker }));
  }

  /** Those that new requests can go to. */
  live(): ListedWorker[] {
    return [...this.workers.values()].filter((worker) => worker.status === "ready");
  }

  /** Those of them that it sends requests to now. */
  usable(): ListedWorker[] {
    const { now } = this.world.timeline;
    return this.live().filter((worker) => !this.breakers.get(worker)?.isOpen(now));
  }

  /** Those that it would send to if they had not failed so often, and since when. */
  shutOut(): { url: string; openedAt: number }[] {
    const { now } = this.world.timeline;
    return this.live().flatMap((worker) => {
      const breaker = this.breakers.get(worker);
      return breaker?.isOpen(now) ? [{ url: worker.url, openedAt: breaker.openedAt }] : [];
    });
  }

  /** A request to these failed or did not; each of them is counted, whoever's fault it was. */
  tried(workers: ListedWorker[], ok: boolean): void {
    for (const worker of workers) this.breakers.get(worker)?.note(ok, this.world.timeline.now);
  }

  isLate(url: string): boolean {
    return this.late.has(url);
  }

  /** Accepts, and lists the worker once it could connect to it. */
  add(worker: DesiredWorker): void {
    this.connect(worker, 1);
  }

  remove(handle: string): void {
    const worker = [...this.workers.values()].find((candidate) => candidate.handle === handle);
    if (!worker) return;
    worker.status = "draining";
    this.world.routerChanged(this);
    this.after(DRAINING_MS, () => {
      if (this.workers.get(worker.url) === worker) this.workers.delete(worker.url);
      this.breakers.delete(worker);
    });
  }

  /** Whether a request would be served now: with prefills or decodes it needs one of each. */
  isReady(): boolean {
    if (this.isEnding) return false;
    const roles = new Set(this.live().map((worker) => worker.role));
    return roles.has("worker") || (roles.has("prefill") && roles.has("decode"));
  }

  get accepts(): boolean {
    return this.process.serves && !this.isEnding;
  }

  terminate(done: () => void): void {
    this.isEnding = true;
    const look = () => {
      if (this.process.inFlight.size === 0) done();
      else this.after(TERMINATE_LOOK_MS, look);
    };
    this.after(TERMINATE_MS, look);
  }

  private connect(worker: DesiredWorker, attempt: number): void {
    const { min, max } = LISTED_AFTER_MS;
    this.after(attempt === 1 ? this.world.random.int(min, max) : RETRY_MS, () => {
      if (this.process.end !== null || this.workers.has(worker.url)) return;
      if (this.world.reach(this.process.machine, worker.url)?.serves) {
        if (attempt === 1) this.late.delete(worker.url);
        else this.late.add(worker.url);
        this.register(worker);
      } else if (attempt < TRIES_MAX) this.connect(worker, attempt + 1);
    });
  }

  private register(desired: DesiredWorker): void {
    const { url, role, bootstrapPort, labels } = desired;
    const handle = `w${this.world.nextSerial()}`;
    const worker: ListedWorker = { handle, url, status: "ready", role, bootstrapPort, labels: { ...labels } };
    this.workers.set(url, worker);
    this.breakers.set(worker, new Breaker(desired));
    this.world.routerChanged(this);
  }

  private after(ms: number, action: () => void): void {
    this.process.machine.after(ms, () => {
      if (this.process.end === null) action();
    });
  }
}
