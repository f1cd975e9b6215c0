import { RETRY_AFTER_SECONDS } from "./limits.ts";
import type { ProxyAnswer } from "./types.ts";

/** What clients of OpenAI's API understand: each status with its `type`, and a `code` that programs can tell apart. */
const TYPES = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  405: "invalid_request_error",
  413: "invalid_request_error",
  421: "misdirected_request_error",
  429: "rate_limit_error",
  431: "invalid_request_error",
  499: "client_error",
  501: "not_implemented_error",
  502: "upstream_error",
  503: "service_unavailable_error",
  504: "timeout_error",
} as const;

export type RefusalStatus = keyof typeof TYPES;

/** A request that the proxy answers itself. Its message is for people: what is wrong and what to do instead. */
export class Refusal extends Error {
  override name = "Refusal";
  readonly status: RefusalStatus;
  readonly code: string;
  readonly param: string | null;

  constructor(status: RefusalStatus, code: string, message: string, param: string | null = null) {
    super(message);
    this.status = status;
    this.code = code;
    this.param = param;
  }
}

/** The body of an error as OpenAI's API words it. */
export function errorBody({ status, message, param, code }: Refusal): string {
  return JSON.stringify({ error: { message, type: TYPES[status], param, code } });
}

export function refusalAnswer(refusal: Refusal, requestId: string, method: string): ProxyAnswer {
  const answer = jsonAnswer(refusal.status, errorBody(refusal), requestId);
  if (refusal.status === 401) answer.headers.push(["www-authenticate", 'Bearer realm="headrace"']);
  if (refusal.status === 429 || refusal.status === 503) answer.headers.push(["retry-after", `${RETRY_AFTER_SECONDS}`]);
  return method === "HEAD" ? { ...answer, body: null } : answer;
}

/** An answer of the proxy's own. */
export function jsonAnswer(status: number, json: string, requestId: string): ProxyAnswer {
  const headers: [string, string][] = [
    ["content-type", "application/json"],
    ["x-request-id", requestId],
  ];
  return { status, headers, body: new TextEncoder().encode(json) };
}

/** With what an exchange is aborted whose client has closed its connection. */
export function clientGone(): Refusal {
  return new Refusal(499, "client_gone", "the client has closed its connection");
}

export function invalidAnswer(what: string): Refusal {
  return new Refusal(502, "invalid_answer", `the replica answered with ${what} that cannot be passed on`);
}
