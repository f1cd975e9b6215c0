import { RESOURCE_NAME } from "../wire/index.ts";
import { Cache } from "./cache.ts";
import { Refusal } from "./errors.ts";
import { CACHED_MAX, ENTRY_LIFE_MS, ENTRY_STALE_MS_MAX } from "./limits.ts";
import type { ProxySource, ServiceEntry } from "./types.ts";

/** Longer ones are not ours: neither hashed nor kept. */
const TOKEN_CHARS_MAX = 512;

/** What the request path knows of services and of who may call them, each held for 2 s. */
export class Directory {
  readonly #source: ProxySource;
  readonly #services: Cache<ServiceEntry | null>;
  readonly #models: Cache<ServiceEntry[]>;
  readonly #permissions: Cache<boolean>;

  constructor(source: ProxySource, now: () => number, shared = true) {
    this.#source = source;
    const options = { lifeMs: ENTRY_LIFE_MS, staleMsMax: ENTRY_STALE_MS_MAX, max: CACHED_MAX, now, shared };
    this.#services = new Cache({ ...options, newer: newerEntry });
    this.#models = new Cache(options);
    // A token that has expired must not live on because the database is away.
    this.#permissions = new Cache({ ...options, staleMsMax: 0 });
  }

  /** @param lifeMs 0 asks the controller, as when what is held has just proved wrong. */
  service(project: string, service: string, lifeMs?: number): ServiceEntry | null | Promise<ServiceEntry | null> {
    if (!isName(project) || !isName(service)) return null;
    const ask = () => this.#source.service(project, service);
    return answered(this.#services.get(`${project}/${service}`, ask, lifeMs));
  }

  /** @param lifeMs as with `service` */
  models(project: string, lifeMs?: number): ServiceEntry[] | Promise<ServiceEntry[]> {
    if (!isName(project)) return [];
    return answered(this.#models.get(project, () => this.#source.models(project), lifeMs));
  }

  mayCall(project: string, token: string | null): boolean | Promise<boolean> {
    if (token === null || token.length > TOKEN_CHARS_MAX || !isName(project)) return false;
    const ask = () => this.#source.authorize(project, token);
    return answered(this.#permissions.get(`${project} ${token}`, ask));
  }

  forgetCallers(project: string): void {
    this.#permissions.forget((key) => key.startsWith(`${project} `));
  }
}

function answered<T>(answer: T | Promise<T>): T | Promise<T> {
  if (!(answer instanceof Promise)) return answer;
  return answer.catch(() => {
    throw new Refusal(503, "unavailable", "the control plane cannot read its state now; try again");
  });
}

/** What cannot be a name is not asked for: anyone may write anything into a path, and what is asked is held. */
function isName(text: string): boolean {
  return RESOURCE_NAME.test(text);
}

/** A controller that has moved, or a second process, may answer with an older commit: what is held stands then. */
function newerEntry(held: ServiceEntry | null, read: ServiceEntry | null): ServiceEntry | null {
  return held !== null && read !== null && read.version < held.version ? held : read;
}
