import { HeadraceControl } from "../control/control.ts";
import type { FarHosts } from "../control/hosts/far-hosts.ts";
import { HOST_REMOVED } from "../control/hosts/presence.ts";
import { withinReach } from "../control/hosts/within-reach.ts";
import type { Log } from "../control/log.ts";
import type { Sealer } from "../control/seal.ts";
import type { Caller } from "../control/types.ts";
import type { ProxySource } from "../proxy/types.ts";
import type { Store } from "../store/types.ts";
import { AlarmClock } from "./alarm-clock.ts";
import { buildsOf, type Env, imagesOf, linkStub } from "./env.ts";
import { FanOut, REQUESTS_AN_INVOCATION } from "./fan-out.ts";
import { FarLink } from "./far-link.ts";
import type { DurableStorage } from "./platform.ts";
import type { ProjectCall } from "./stubs.ts";

/** Within this time after a commit its wake-ups are out, or the alarm finds what a crash left. */
const SETTLED_WITHIN_MS = 5_000;
/** What could not be looked at when the alarm rang is looked at again after this. */
const LOOK_AGAIN_MS = 10_000;
/** An alarm that rings this late tells of an outage in which hosts were not heard either. */
const LATE_ALARM_MS = 10_000;

const HERE = "here/";
const GONE = "gone/";
const TO_FORGET = "forget/";

/** When a host went, and for how long nothing had been heard of it then. */
interface Gone {
  at: number;
  silentMs: number;
}

interface LifeParts {
  project: string;
  env: Env;
  storage: DurableStorage;
  store: Store;
  seal: Sealer;
  log: Log;
  /** Milliseconds since 1970; the platform's own unless given. */
  calendar?: () => number;
}

/**
 * One life of a project's controller in its object. What must outlive it is in the database, but for what only this
 * object can know, which is in its own storage: who is here, since when hosts are listened to, and whom to forget.
 */
export class ProjectLife implements FarHosts {
  readonly control: HeadraceControl;
  readonly clock: AlarmClock;
  readonly #parts: LifeParts;
  readonly #links = new Map<string, FarLink>();
  readonly #wakes: FanOut;
  readonly #forgets: FanOut;
  readonly #reached: ProxySource;

  constructor(parts: LifeParts) {
    this.#parts = parts;
    const { project, env, storage, store, seal, log } = parts;
    this.clock = new AlarmClock(storage, parts.calendar);
    const later = (ms: number, next: () => void) => void this.clock.at(this.clock.now() + ms, next);
    const nameOf = (host: string) => ({ project, host });
    this.#wakes = new FanOut({ later, tell: (host) => linkStub(env, nameOf(host)).wake(nameOf(host)) });
    this.#forgets = new FanOut({
      later,
      tell: async (host) => {
        await linkStub(env, nameOf(host)).forget(nameOf(host), HOST_REMOVED);
        storage.kv.delete(TO_FORGET + host);
      },
    });
    this.control = new HeadraceControl({
      store: this.#settling(store),
      seal,
      clock: this.clock,
      log,
      images: imagesOf(env),
      builds: buildsOf(env),
      far: () => this,
      requestsMax: REQUESTS_AN_INVOCATION,
    });
    this.#reached = withinReach(this.control, (name, host) => this.control.isUnlinked(name, host));
    for (const [key] of storage.kv.list<true>({ prefix: TO_FORGET })) this.#forgets.add(key.slice(TO_FORGET.length));
  }

  async call(method: ProjectCall, args: unknown[]): Promise<unknown> {
    if (method === "service" || method === "models") {
      return (this.#reached[method] as (...args: unknown[]) => Promise<unknown>)(...args);
    }
    const answer = await (this.control[method] as (...args: unknown[]) => Promise<unknown>).apply(this.control, args);
    if (method === "removeHost") this.#forget(args[1] as string);
    if (method === "leaveHost") this.#forget((args[0] as Caller).subject as string);
    return answer;
  }

  hostHere(host: string, linked: boolean): void {
    const { kv } = this.#parts.storage;
    // It was removed, and its object does not know yet: nobody would ever take it off the list again.
    if (kv.get(TO_FORGET + host)) return;
    kv.put(HERE + host, linked);
    kv.delete(GONE + host);
    if (linked) this.control.linkOpened(this.#parts.project, host, this.#linkOf(host));
    else this.control.unlinkedHere(this.#parts.project, host);
  }

  hostGone(host: string, linked: boolean, silentMs: number): void {
    const { kv } = this.#parts.storage;
    if (kv.get(TO_FORGET + host)) return;
    kv.delete(HERE + host);
    // What follows may take longer than this life does.
    kv.put(GONE + host, { at: this.clock.now(), silentMs } satisfies Gone);
    if (linked) this.control.linkClosed(this.#parts.project, host, this.#linkOf(host), silentMs);
    else this.control.unlinkedGone(this.#parts.project, host, silentMs);
  }

  /**
   * The alarm rang. Where the database cannot be read it is set again: the platform gives up an alarm that fails a few
   * times, and the sweep knows nothing of wake-ups that are still to be sent.
   * @param scheduled when it should have rung
   */
  async rang(scheduled: number | undefined): Promise<void> {
    if (scheduled !== undefined && this.clock.now() - scheduled > LATE_ALARM_MS) {
      this.#parts.storage.kv.put("listening-since", this.clock.now());
    }
    try {
      await this.due();
    } catch (error) {
      this.#parts.log("warn", "what is due could not be looked at", {
        project: this.#parts.project,
        error: String(error),
      });
      this.clock.at(this.clock.now() + LOOK_AGAIN_MS, () => undefined);
    }
  }

  /** Does what is due. */
  async due(): Promise<void> {
    this.clock.rang();
    await this.control.lookAtDue(this.#parts.project);
  }

  here(): Iterable<{ host: string; link: FarLink | null }> {
    return [...this.#parts.storage.kv.list<boolean>({ prefix: HERE })].map(([key, linked]) => {
      const host = key.slice(HERE.length);
      return { host, link: linked ? this.#linkOf(host) : null };
    });
  }

  gone(): Iterable<{ host: string } & Gone> {
    const gone = this.#parts.storage.kv.list<Gone>({ prefix: GONE });
    return [...gone].map(([key, when]) => ({ host: key.slice(GONE.length), ...when }));
  }

  wake(host: string): void {
    this.#wakes.add(host);
  }

  /** Asked once the project was found: nothing is written for a name that somebody made up. */
  listeningSince(): number {
    const { storage, env, project } = this.#parts;
    const { kv } = storage;
    if (kv.get<string>("project") !== project) kv.put("project", project);
    const deployment = env.VERSION?.id ?? "";
    // A deployment drops every link, so hosts are listened to anew after it.
    if (kv.get<string>("deployment") !== deployment) {
      kv.put("deployment", deployment);
      kv.put("listening-since", this.clock.now());
    }
    return kv.get<number>("listening-since") ?? this.clock.now();
  }

  /** A crash between a commit and its wake-ups must not leave hosts with what they had: the alarm is set before. */
  #settling(store: Store): Store {
    return {
      ...store,
      commit: (batch) => {
        this.clock.at(this.clock.now() + SETTLED_WITHIN_MS, () => undefined);
        return store.commit(batch);
      },
    };
  }

  #forget(host: string): void {
    const { kv } = this.#parts.storage;
    kv.put(TO_FORGET + host, true);
    kv.delete(HERE + host);
    kv.delete(GONE + host);
    this.#links.delete(host);
    this.#forgets.add(host);
  }

  #linkOf(host: string): FarLink {
    let link = this.#links.get(host);
    if (!link) {
      link = new FarLink(this.#parts.env, { project: this.#parts.project, host });
      this.#links.set(host, link);
    }
    return link;
  }
}
