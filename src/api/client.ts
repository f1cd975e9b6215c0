import type * as z from "zod";
import {
  type ApplyAnswer,
  applyAnswer,
  type applyRequest,
  type ChangeAnswer,
  type CommitView,
  changeAnswer,
  type HostChangeAnswer,
  type HostView,
  hostChangeAnswer,
  type PlanView,
  planView,
  type SecretChangeAnswer,
  type SecretView,
  type ServiceView,
  secretChangeAnswer,
  serviceView,
  type TokenAnswer,
  tokenAnswer,
  type tokenRequest,
} from "../control/views.ts";
import { type LogLine, logLine } from "../wire/index.ts";
import { hostList, type JournalPage, journalPage, type MeView, meView, secretList, serviceList } from "./answers.ts";
import { type FollowOptions, followCommits } from "./client-follow.ts";
import { HttpClient, type HttpOptions, type HttpRequest } from "./client-http.ts";
import { jsonLines } from "./json-lines.ts";

export { ApiError, ServerUnreachable } from "./client-http.ts";

export interface LogOptions {
  /** One replica; all of the service when absent. */
  replica?: string;
  tail?: number;
  follow?: boolean;
  signal?: AbortSignal;
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
  /** @param force although it has jobs; what they hold is free then */
  removeHost(id: string, force: boolean): Promise<HostChangeAnswer>;
  secrets(): Promise<SecretView[]>;
  setSecret(name: string, value: string): Promise<SecretChangeAnswer>;
  deleteSecret(name: string): Promise<SecretChangeAnswer>;
  journal(options?: { after?: number; limit?: number }): Promise<JournalPage>;
  follow(options: FollowOptions): AsyncIterable<CommitView>;
  createToken(request: z.input<typeof tokenRequest>): Promise<TokenAnswer>;
}

/**
 * A client of one project. Each change carries a random idempotency key that stays the same while the request is
 * repeated, so a change whose answer was lost is not made twice.
 */
export function createClient(options: HttpOptions & { project: string }): Client {
  const http = new HttpClient(options);
  const base = `/api/projects/${encodeURIComponent(options.project)}`;
  const serviceAt = (name: string) => `${base}/services/${encodeURIComponent(name)}`;
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
    logs: (service, { replica, tail, follow, signal } = {}) =>
      logLines(http, `${serviceAt(service)}/logs${query({ replica, tail, follow })}`, signal),
    hosts: async () => (await get(`${base}/hosts`, hostList)).hosts,
    removeHost: (id, force) =>
      change(
        { method: "DELETE", path: `${base}/hosts/${encodeURIComponent(id)}${query({ force })}` },
        hostChangeAnswer,
      ),
    secrets: async () => (await get(`${base}/secrets`, secretList)).secrets,
    setSecret: (name, value) => change({ method: "PUT", path: secretAt(name), body: { value } }, secretChangeAnswer),
    deleteSecret: (name) => change({ method: "DELETE", path: secretAt(name) }, secretChangeAnswer),
    journal: ({ after, limit } = {}) => get(`${base}/commits${query({ after, limit })}`, journalPage),
    follow: (followOptions) => followCommits(http, `${base}/commits/stream`, followOptions),
    createToken: (body) => change({ method: "POST", path: `${base}/tokens`, body }, tokenAnswer),
  };
}

/** Whose token it is, in which project. */
export function whoAmI(options: HttpOptions): Promise<MeView> {
  return new HttpClient(options).json({ method: "GET", path: "/api/me" }, meView);
}

async function* logLines(http: HttpClient, path: string, signal?: AbortSignal): AsyncGenerator<LogLine> {
  const left = new AbortController();
  const stream = signal ? AbortSignal.any([signal, left.signal]) : left.signal;
  try {
    const response = await http.send({ method: "GET", path, stream });
    for await (const value of jsonLines(response.body)) yield logLine.parse(value);
  } finally {
    left.abort();
  }
}

function query(values: Record<string, string | number | boolean | undefined>): string {
  const set = Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return set.length === 0 ? "" : `?${new URLSearchParams(set)}`;
}
