import type { BodyFlow, LinkBody, ReceivedAnswer, ReceivedBody } from "../link/types.ts";
import type { OpenToAgent } from "../wire/index.ts";

/** A place to send a request of a service to. */
export interface RouteTarget {
  replica: string;
  host: string;
  /** It was ready and is not, and nothing better is there: its agent says whether it serves. */
  unready?: true;
}

/** An answer to a request that has reached no worker: one of these codes in this header, whose name is in lower case. */
export interface NoWorkerAnswer {
  header: string;
  codes: readonly string[];
}

/** What the request path needs to know of one service. */
export interface ServiceEntry {
  project: string;
  service: string;
  /** The commit it was read at. One lower than what is held is refused. */
  version: number;
  /** `false`: open to everyone. */
  auth: boolean;
  /** Set when the targets are routers: only inference routes pass, their worker API is nobody's. */
  router: boolean;
  /** How those routers answer what they had no worker for; null where that is not known. */
  noWorker: NoWorkerAnswer | null;
  /** Whether replicas see paths without `/proxy/services/<project>/<service>`. */
  stripPrefix: boolean;
  model: { name: string; prefix: string } | null;
  /** Ready routers, where none is those that were, or ready replicas where there is no router. Empty: 503. */
  targets: RouteTarget[];
  /** One line for people when none of `targets` is ready. */
  message: string;
}

/** What the proxy is handed: fulfilled by `control`. */
export interface ProxySource {
  /** null: no such service (or project). */
  service(project: string, service: string): Promise<ServiceEntry | null>;
  /** The services of a project that serve a model. */
  models(project: string): Promise<ServiceEntry[]>;
  /** Whether the token may call the services of the project. */
  authorize(project: string, token: string): Promise<boolean>;
  /** How a replica is reached; null while it cannot be. */
  way(project: string, target: RouteTarget): ReplicaWay | null;
  /**
   * Where none of these can be reached: waits until one may be again, for as long as the link of one of their hosts is
   * expected back, because it was lost a moment ago or because whoever knows of it has only just begun.
   * @param signal ends the waiting at once
   * @returns whether to try again; false without waiting where no link is expected
   */
  wayBack(project: string, targets: RouteTarget[], signal: AbortSignal): Promise<boolean>;
}

/** A way to one replica: the link of its host, or a connection to the replica itself. */
export interface ReplicaWay {
  /** Requests that it takes at a time from here; what a link takes where it is not said. */
  requestsMax?: number;
  /**
   * @returns the answer of the replica, or a refusal of its agent (`REFUSED_HEADER`)
   * @throws LinkError; with `sent: false` the replica has seen nothing and the body was not touched
   */
  request(open: OpenToReplica, body: ReceivedBody, signal: AbortSignal): Promise<ReceivedAnswer>;
}

export type OpenToReplica = Extract<OpenToAgent, { kind: "http" }>;

/** The address of a request: what is used of a `URL`. */
export type RequestUrl = Pick<URL, "protocol" | "host" | "pathname" | "search">;

/** A request as the platform of the entry hands it over. */
export interface ProxyRequest {
  method: string;
  /** As the client wrote it, with the control plane's origin. */
  url: RequestUrl;
  /** Names in lower case. */
  headers: [string, string][];
  /** Null: there is none. */
  body: BodyFlow | null;
  /** As the platform knows it; it goes to the replica as `x-forwarded-for`. */
  clientAddress: string | null;
  /** Aborts the exchange. The platform does so when the client goes away, with `clientGone()`. */
  cancel: AbortController;
}

export interface ProxyAnswer {
  status: number;
  headers: [string, string][];
  body: LinkBody;
}
