import type { Link } from "../link/link.ts";
import { linkPipe } from "../link/pipe.ts";
import { text } from "../link/testing.ts";
import type { LinkAnswer, LinkBody, ReceivedBody } from "../link/types.ts";
import type { OpenToAgent } from "../wire/index.ts";
import type { ProxySource, ReplicaWay, RouteTarget, ServiceEntry } from "./types.ts";

/** Helpers of this folder's tests: a control plane's knowledge in memory, its hosts behind real links. */

export type HttpOpen = Extract<OpenToAgent, { kind: "http" }>;
export type Agent = (open: HttpOpen, body: ReceivedBody, signal: AbortSignal) => Promise<LinkAnswer>;

export class World implements ProxySource {
  readonly entries = new Map<string, ServiceEntry>();
  readonly links = new Map<string, Link>();
  readonly asked = { service: 0, models: 0, authorize: 0, wayBack: 0 };
  /** Waits for the link of one of these hosts. */
  back: (hosts: string[], signal: AbortSignal) => Promise<boolean> = async () => false;
  failing = false;

  /** A host whose agent answers so. */
  host(name: string, agent: Agent): Link {
    const { accepted } = linkPipe({ dialled: (open, body, signal) => agent(open as HttpOpen, body, signal) });
    this.links.set(name, accepted);
    return accepted;
  }

  /** A service with one replica on each of these hosts, called `r-<host>`. */
  serve(service: string, hosts: string[], rest: Partial<ServiceEntry> = {}): ServiceEntry {
    const entry: ServiceEntry = {
      project: "main",
      service,
      version: 1,
      auth: false,
      router: false,
      noWorker: null,
      stripPrefix: true,
      model: null,
      targets: hosts.map((host) => ({ replica: `r-${host}`, host })),
      message: "",
      ...rest,
    };
    this.entries.set(`${entry.project}/${service}`, entry);
    return entry;
  }

  async service(project: string, service: string): Promise<ServiceEntry | null> {
    this.asked.service += 1;
    this.#mayFail();
    return this.entries.get(`${project}/${service}`) ?? null;
  }

  async models(project: string): Promise<ServiceEntry[]> {
    this.asked.models += 1;
    this.#mayFail();
    return [...this.entries.values()].filter((entry) => entry.project === project && entry.model !== null);
  }

  async authorize(project: string, token: string): Promise<boolean> {
    this.asked.authorize += 1;
    this.#mayFail();
    return project === "main" && token === "good";
  }

  way(_project: string, { host }: RouteTarget): ReplicaWay | null {
    return this.links.get(host) ?? null;
  }

  async wayBack(_project: string, targets: RouteTarget[], signal: AbortSignal): Promise<boolean> {
    this.asked.wayBack += 1;
    return this.back(
      targets.map(({ host }) => host),
      signal,
    );
  }

  #mayFail(): void {
    if (this.failing) throw new Error("the database is away");
  }
}

export function answered(body: LinkBody | string, headers: [string, string][] = [], status = 200): LinkAnswer {
  return { head: { status, headers }, body: typeof body === "string" ? text(body) : body };
}

/** The error of an OpenAI-style answer. */
export async function errorOf(response: Response) {
  expectJson(response);
  const { error } = (await response.json()) as {
    error: { message: string; type: string; code: string; param: unknown };
  };
  return { status: response.status, ...error };
}

function expectJson(response: Response): void {
  const type = response.headers.get("content-type");
  if (type !== "application/json") throw new Error(`expected JSON, got ${response.status} ${type}`);
}
