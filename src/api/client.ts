import type * as z from "zod";
import {
  type ApplyAnswer,
  applyAnswer,
  type applyRequest,
  type ChangeAnswer,
  type CommitView,
  changeAnswer,
  type HostChangeAnswer,
  type HostDetailView,
  type HostView,
  hostChangeAnswer,
  hostDetailView,
  type PlanView,
  planView,
  type SecretChangeAnswer,
  type SecretView,
  type ServiceView,
  secretChangeAnswer,
  serviceView,
  type TokenAnswer,
  type TokenRevokeAnswer,
  type TokenView,
  tokenAnswer,
  type tokenRequest,
  tokenRevokeAnswer,
  unreadLog,
} from "../control/views/views.ts";
import {
  type FleetApplyAnswer,
  type FleetChangeAnswer,
  type FleetPlanView,
  type FleetView,
  fleetApplyAnswer,
  fleetChangeAnswer,
  fleetPlanView,
  type fleetRequest,
} from "../control/views/views-fleet.ts";
import { type LogLine, logLine } from "../wire/index.ts";
import {
  fleetList,
  hostList,
  type JournalPage,
  journalPage,
  type MeView,
  meView,
  secretList,
  serviceList,
  tokenList,
} from "./answers.ts";
import { type FollowOptions, followCommits } from "./client-follow.ts";
import { HttpClient, type HttpOptions, type HttpRequest, refusalOf } from "./client-http.ts";
import { errorBody } from "./error-body.ts";
import { jsonLines } from "./json-lines.ts";

export { ApiError, ServerUnreachable } from "./client-http.ts";

export interface LogOptions {
  /** One replica; all of the service when absent. */
  replica?: string;
  tail?: number;
  follow?: boolean;
  signal?: AbortSignal;
  /** Told of a replica whose log cannot be read, or not any further; the others' goes on. Without it that is an error. */
  onUnread?: (message: string) => void;
}

/** The API of one project, as functions. All throw ApiError or ServerUnreachable. */
export interface Client {
  plan(request: z.input<typeof applyRequest>): Promise<PlanView>;
  /** Keeps a tar archive, named by the SHA-256 of its bytes, for an apply that names it. */
  putFile(sha256: string, archive: Uint8Array<ArrayBuffer>): Promise<void>;
  apply(request: z.input<typeof applyRequest>): Promise<ApplyAnswer>;
  services(): Promise<ServiceView[]>;
  service(name: string): Promise<ServiceView>;
  stop(name: string): Promise<ChangeAnswer>;
  delete(name: string): Promise<ChangeAnswer>;
  logs(service: string, options?: LogOptions): AsyncIterable<LogLine>;
  hosts(): Promise<HostView[]>;
  host(id: string): Promise<HostDetailView>;
  cordonHost(id: string, reason: string): Promise<HostChangeAnswer>;
  drainHost(id: string, reason: string): Promise<HostChangeAnswer>;
  uncordonHost(id: string): Promise<HostChangeAnswer>;
  /** @param force although it has jobs; what they hold is free then */
  removeHost(id: string, force: boolean): Promise<HostChangeAnswer>;
  fleets(): Promise<FleetView[]>;
  planFleet(request: z.input<typeof fleetRequest>): Promise<FleetPlanView>;
  applyFleet(request: z.input<typeof fleetRequest>): Promise<FleetApplyAnswer>;
  deleteFleet(name: string): Promise<FleetChangeAnswer>;
  secrets(): Promise<SecretView[]>;
  setSecret(name: string, value: string): Promise<SecretChangeAnswer>;
  deleteSecret(name: string): Promise<SecretChangeAnswer>;
  journal(options?: { after?: number; limit?: number }): Promise<JournalPage>;
  follow(options: FollowOptions): AsyncIterable<CommitView>;
  createToken(request: z.input<typeof tokenRequest>): Promise<TokenAnswer>;
  tokens(): Promise<TokenView[]>;
  revokeToken(id: string): Promise<TokenRevokeAnswer>;
}

/**
 * A client of one project. Each change carries a random idempotency key that stays the same while the request is
 * repeated, so a change whose answer was lost is not made twice.
 */
export function createClient(options: HttpOptions & { project: string }): Client {
  const http = new HttpClient(options);
  const base = `/api/projects/${encodeURIComponent(options.project)}`;
  const serviceAt = (name: string) => `${base}/services/${encodeURIComponent(name)}`;
  const hostAt = (id: string) => `${base}/hosts/${encodeURIComponent(id)}`;
  const secretAt = (name: string) => `${base}/secrets/${encodeURIComponent(name)}`;
  const get = <S extends z.ZodType>(path: string, schema: S) => http.json({ method: "GET", path }, schema);
  const change = <S extends z.ZodType>(request: Omit<HttpRequest, "headers">, schema: S) =>
    http.json({ ...request, headers: { "Idempotency-Key": crypto.randomUUID() } }, schema);

  return {
    plan: (body) => http.json({ method: "POST", path: `${base}/plan`, body }, planView),
    putFile: async (sha256, archive) => {
      await http.send({ method: "PUT", path: `${base}/files/${sha256}`, archive });
    },
    apply: (body) => change({ method: "POST", path: `${base}/apply`, body }, applyAnswer),
    services: async () => (await get(`${base}/services`, serviceList)).services,
    service: (name) => get(serviceAt(name), serviceView),
    stop: (name) => change({ method: "POST", path: `${serviceAt(name)}/stop` }, changeAnswer),
    delete: (name) => change({ method: "DELETE", path: serviceAt(name) }, changeAnswer),
    logs: (service, { replica, tail, follow, ...options } = {}) =>
      logLines(http, `${serviceAt(service)}/logs${query({ replica, tail, follow })}`, options),
    hosts: async () => (await get(`${base}/hosts`, hostList)).hosts,
    host: (id) => get(hostAt(id), hostDetailView),
    cordonHost: (id, reason) =>
      change({ method: "POST", path: `${hostAt(id)}/cordon`, body: { reason } }, hostChangeAnswer),
    drainHost: (id, reason) =>
      change({ method: "POST", path: `${hostAt(id)}/drain`, body: { reason } }, hostChangeAnswer),
    uncordonHost: (id) => change({ method: "POST", path: `${hostAt(id)}/uncordon` }, hostChangeAnswer),
    removeHost: (id, force) => change({ method: "DELETE", path: `${hostAt(id)}${query({ force })}` }, hostChangeAnswer),
    fleets: async () => (await get(`${base}/fleets`, fleetList)).fleets,
    planFleet: (body) => http.json({ method: "POST", path: `${base}/fleets/plan`, body }, fleetPlanView),
    applyFleet: (body) => change({ method: "POST", path: `${base}/fleets`, body }, fleetApplyAnswer),
    deleteFleet: (name) =>
      change({ method: "DELETE", path: `${base}/fleets/${encodeURIComponent(name)}` }, fleetChangeAnswer),
    secrets: async () => (await get(`${base}/secrets`, secretList)).secrets,
    setSecret: (name, value) => change({ method: "PUT", path: secretAt(name), body: { value } }, secretChangeAnswer),
    deleteSecret: (name) => change({ method: "DELETE", path: secretAt(name) }, secretChangeAnswer),
    journal: ({ after, limit } = {}) => get(`${base}/commits${query({ after, limit })}`, journalPage),
    follow: (followOptions) => followCommits(http, `${base}/commits/stream`, followOptions),
    createToken: (body) => change({ method: "POST", path: `${base}/tokens`, body }, tokenAnswer),
    tokens: async () => (await get(`${base}/tokens`, tokenList)).tokens,
    revokeToken: (id) =>
      change({ method: "DELETE", path: `${base}/tokens/${encodeURIComponent(id)}` }, tokenRevokeAnswer),
  };
}

/** Whose token it is, in which project. */
export function whoAmI(options: HttpOptions): Promise<MeView> {
  return new HttpClient(options).json({ method: "GET", path: "/api/me" }, meView);
}

async function* logLines(
  http: HttpClient,
  path: string,
  { signal, onUnread }: Pick<LogOptions, "signal" | "onUnread">,
): AsyncGenerator<LogLine> {
  const left = new AbortController();
  const stream = signal ? AbortSignal.any([signal, left.signal]) : left.signal;
  try {
    const response = await http.send({ method: "GET", path, stream });
    for await (const value of jsonLines(response.body)) {
      const unread = unreadLog.safeParse(value);
      if (unread.success && onUnread) {
        onUnread(unread.data.error.message);
        continue;
      }
      const refusal = errorBody.safeParse(value);
      if (refusal.success) throw refusalOf(503, refusal.data);
      yield logLine.parse(value);
    }
  } catch (error) {
    throw http.brokenOff(error, stream);
  } finally {
    left.abort();
  }
}

function query(values: Record<string, string | number | boolean | undefined>): string {
  const set = Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return set.length === 0 ? "" : `?${new URLSearchParams(set)}`;
}
