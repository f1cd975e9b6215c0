import type { LinkEnd } from "../link/types.ts";

/** A place to send a request of a service to. */
export interface RouteTarget {
  replica: string;
  host: string;
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
  model: { name: string; prefix: string } | null;
  /** Ready routers, or ready replicas where there is no router. Empty: 503. */
  targets: RouteTarget[];
  /** One line for people when `targets` is empty. */
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
  /** The link of a host, null while it has none. */
  link(project: string, host: string): LinkEnd | null;
}
