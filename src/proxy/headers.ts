import { HOP_BY_HOP } from "../wire/index.ts";

type Pairs = [string, string][];

/**
 * Not for the replica: our own credentials (a cookie is the console's), the name by which we are called, what the
 * serving end works out itself, and claims about earlier hops, which we make ourselves.
 */
const NOT_FORWARDED = new Set([
  ...HOP_BY_HOP,
  "authorization",
  "content-length",
  "cookie",
  "expect",
  "forwarded",
  "host",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-prefix",
  "x-forwarded-proto",
  "x-real-ip",
  "x-request-id",
]);

/** Not for the client: a replica must not speak for the control plane's own origin, at which it appears. */
const NOT_RETURNED = new Set([
  ...HOP_BY_HOP,
  "alt-svc",
  "clear-site-data",
  "content-security-policy",
  "service-worker-allowed",
  "set-cookie",
  "strict-transport-security",
  "www-authenticate",
]);

export interface ForwardedBy {
  /** As the client wrote it: the control plane's URL. */
  url: URL;
  /** What our path has in front of the replica's. */
  prefix: string;
  requestId: string;
  clientAddress: string | null;
  /** Bytes of the body where it is passed on as it comes; null: the serving end sees the whole body. */
  contentLength: number | null;
}

/** The headers that go to the replica. Names are lower case. */
export function requestHeaders(headers: Headers, by: ForwardedBy): Pairs {
  const pairs = kept(headers, NOT_FORWARDED);
  pairs.push(["x-request-id", by.requestId]);
  pairs.push(["x-forwarded-host", by.url.host], ["x-forwarded-proto", by.url.protocol.slice(0, -1)]);
  pairs.push(["x-forwarded-prefix", by.prefix]);
  if (by.clientAddress !== null) pairs.push(["x-forwarded-for", by.clientAddress]);
  if (by.contentLength !== null) pairs.push(["content-length", String(by.contentLength)]);
  return pairs;
}

/**
 * The headers that go back to the client.
 * @throws TypeError for names or values that HTTP does not allow.
 */
export function responseHeaders(pairs: Pairs, requestId: string): Headers {
  const dropped = connectionNames(pairs.find(([name]) => name.toLowerCase() === "connection")?.[1] ?? null);
  const headers = new Headers();
  for (const [name, value] of pairs) {
    const lower = name.toLowerCase();
    if (!NOT_RETURNED.has(lower) && !dropped.has(lower)) headers.append(lower, value);
  }
  if (!headers.has("x-request-id")) headers.set("x-request-id", requestId);
  // A page of an engine runs in an origin of its own: it must not act as the console of its viewer.
  headers.set("content-security-policy", "sandbox allow-scripts allow-forms");
  headers.set("x-content-type-options", "nosniff");
  return headers;
}

/** The caller's id of a request where it can go into logs, else a new one. */
export function requestIdOf(headers: Headers): string {
  const given = headers.get("x-request-id");
  return given !== null && /^[\w.:-]{1,128}$/.test(given) ? given : crypto.randomUUID();
}

/** The token of `Authorization: Bearer <token>`. */
export function bearerOf(headers: Headers): string | null {
  return /^Bearer +([^\s]+)$/i.exec(headers.get("authorization") ?? "")?.[1] ?? null;
}

function kept(headers: Headers, without: Set<string>): Pairs {
  const dropped = connectionNames(headers.get("connection"));
  const pairs: Pairs = [];
  for (const [name, value] of headers) if (!without.has(name) && !dropped.has(name)) pairs.push([name, value]);
  return pairs;
}

/** A Connection header names further headers that are meant for this hop only. */
function connectionNames(value: string | null): Set<string> {
  return new Set((value ?? "").split(",").map((name) => name.trim().toLowerCase()));
}
