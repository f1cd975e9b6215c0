import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type * as z from "zod";
import { refusalOf } from "../control/refusal.ts";
import { ControlError, type ControlErrorCode } from "../control/types.ts";
import type { ErrorBody, RequestIssue } from "./error-body.ts";

/** Codes of refusals that the API makes before control is asked; each has an entry in docs/errors.md. */
type OwnErrorCode =
  | "invalid_request"
  | "no_such_path"
  | "request_timeout"
  | "too_large"
  | "unsupported_media_type"
  | "headers_too_large"
  | "internal"
  | "websocket_unsupported";

export type ApiErrorCode = ControlErrorCode | OwnErrorCode;

/** The status that each code answers with. */
export const ERROR_STATUS: Record<ApiErrorCode, ContentfulStatusCode> = {
  invalid_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  no_such_path: 404,
  request_timeout: 408,
  conflict: 409,
  stale_plan: 409,
  too_large: 413,
  unsupported_media_type: 415,
  invalid_config: 422,
  unsupported: 422,
  idempotency_mismatch: 422,
  too_many: 429,
  headers_too_large: 431,
  internal: 500,
  websocket_unsupported: 501,
  unavailable: 503,
};

/** A refusal by the API itself. */
export class RequestError extends Error {
  override name = "RequestError";
  readonly code: ApiErrorCode;
  readonly issues: RequestIssue[];
  constructor(code: ApiErrorCode, message: string, issues: RequestIssue[] = []) {
    super(message);
    this.code = code;
    this.issues = issues;
  }
}

/** @param place which part of the request: `json`, `query`, `param`, `header` */
export function invalidRequest(place: string, error: z.core.$ZodError): RequestError {
  const issues = error.issues.map((issue) => ({
    path: [place === "json" ? "body" : place, ...issue.path].map(String).join("."),
    message: issue.message,
  }));
  const [first] = issues;
  return new RequestError(
    "invalid_request",
    first ? `${first.path}: ${first.message}` : "The request is invalid.",
    issues,
  );
}

/** Told of every error that has no answer of its own, under the id that the caller was given. */
export type ReportError = (requestId: string, error: unknown) => void;

/** Turns anything thrown into an answer. */
export function answerError(report: ReportError) {
  return (error: unknown, c: Context): Response => {
    if (error instanceof HTTPException) return refuseUnread(c, error);
    const { code, message, issues } = errorForPeople(error, report);
    return refuse(c, code, message, issues);
  };
}

/** What may be said of an error. What is not meant for people goes to `report` and stays out of the answer. */
export function errorForPeople(
  error: unknown,
  report: ReportError,
): { code: ApiErrorCode; message: string; issues: RequestIssue[] } {
  if (error instanceof ControlError || error instanceof RequestError) {
    return { code: error.code, message: error.message, issues: error.issues };
  }
  const requestId = crypto.randomUUID();
  report(requestId, error);
  const refusal = refusalOf(error);
  if (refusal) return { code: refusal.code, message: refusal.message, issues: [] };
  const message = `The server failed at this request. Its log has the cause under the id ${requestId}.`;
  return { code: "internal", message, issues: [] };
}

export function refuse(c: Context, code: ApiErrorCode, message: string, issues: RequestIssue[] = []): Response {
  if (code === "unauthorized") c.header("WWW-Authenticate", "Bearer");
  if (code === "too_many" || code === "unavailable") c.header("Retry-After", "1");
  const body: ErrorBody = { error: { code, message, ...(issues.length > 0 ? { issues } : {}) } };
  return c.json(body, ERROR_STATUS[code]);
}

/** Hono and its validators throw these for a body that they cannot read. */
function refuseUnread(c: Context, error: HTTPException): Response {
  if (error.status === 415) {
    return refuse(c, "unsupported_media_type", "Send the body as JSON with `Content-Type: application/json`.");
  }
  return refuse(c, "invalid_request", `The body could not be read as JSON: ${error.message}.`);
}
