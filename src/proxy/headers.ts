import { HOP_BY_HOP } from "../wire/index.ts";
import type { RequestUrl } from "./types.ts";

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
  url: RequestUrl;
  /** What our path has in front of the replica's; may be empty. */
  prefix: string;
  requestId: string;
  clientAddress: string | null;
  /** Bytes of the body where it is passed on as it comes; null: the serving end sees the whole body. */
  contentLength: number | null;
}

/** The headers that go to the replica. Names are lower case. */
export function requestHeaders(headers: Pairs, by: ForwardedBy): Pairs {
  const dropped = connectionNames(headerOf(headers, "connection"));
  const pairs = headers.filter(([name]) => !NOT_FORWARDED.has(name) && !dropped.has(name));
  pairs.push(["x-request-id", by.requestId]);
  pairs.push(["x-forwarded-host", by.url.host], ["x-forwarded-proto", by.url.protocol.slice(0, -1)]);
  if (by.prefix !== "") pairs.push(["x-forwarded-prefix", by.prefix]);
  if (by.clientAddress !== null) pairs.push(["x-forwarded-for", by.clientAddress]);
  if (by.contentLength !== null) pairs.push(["content-length", String(by.contentLength)]);
  return pairs;
}

/** What HTTP allows as a name, and as a value. */
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * The headers that go back to the client. Names are lower case.
 * @throws TypeError for names or values that HTTP does not allow.
 */
export function responseHeaders(pairs: Pairs, requestId: string): Pairs {
  const lower = pairs.map(([name, value]): [string, string] => [name.toLowerCase(), value]);
  const dropped = connectionNames(headerOf(lower, "connection"));
  const headers: Pairs = [];
  let hasId = false;
  for (const [name, value] of lower) {
    if (NOT_RETURNED.has(name) || dropped.has(name)) continue;
    if (!NAME.test(name) || !VALUE.test(value)) throw new TypeError(`not a header: ${name}`);
    hasId ||= name === "x-request-id";
    if (name !== "x-content-type-options") headers.push([name, value]);
  }
  if (!hasId) headers.push(["x-request-id", requestId]);
  // A page of an engine runs in an origin of its own: it must not act as the console of its viewer.
  headers.push(["content-security-policy", "sandbox allow-scripts allow-forms"]);
  headers.push(["x-content-type-options", "nosniff"]);
  return headers;
}

/** The caller's id of a request where it can go into logs, else a new one. */
export function requestIdOf(headers: Pairs): string {
  const given = headerOf(headers, "x-request-id");
  return given !== null && /^[\w.:-]{1,128}$/.test(given) ? given : crypto.randomUUID();
}

/** The token of `Authorization: Bearer <token>`. */
export function bearerOf(headers: Pairs): string | null {
  return /^Bearer +([^\s]+)$/i.exec(headerOf(headers, "authorization") ?? "")?.[1] ?? null;
}

/** The value of a header, several of one name joined as HTTP has it. @param name in lower case, as those of the pairs */
export function headerOf(headers: Pairs, name: string): string | null {
  let found: string | null = null;
  for (const [each, value] of headers) if (each === name) found = found === null ? value : `${found}, ${value}`;
  return found;
}

const NO_NAMES: ReadonlySet<string> = new Set();

/** A Connection header names further headers that are meant for this hop only. */
function connectionNames(value: string | null): ReadonlySet<string> {
  if (value === null || value === "keep-alive") return NO_NAMES;
  return new Set(value.split(",").map((name) => name.trim().toLowerCase()));
}
