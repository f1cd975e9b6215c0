import { HOP_BY_HOP } from "../wire/index.ts";

/** How the end of a request's body is told: by its length, by its last chunk, or there is none to tell. */
export type Framing = { kind: "none" } | { kind: "chunked" } | { kind: "length"; bytes: number };

interface RequestHead {
  method: string;
  path: string;
  headers: [string, string][];
}

/** Ours to say towards the replica: its own host, how long the body is, and a body that nobody waits with. */
const NOT_SENT: ReadonlySet<string> = new Set([...HOP_BY_HOP, "host", "expect", "content-length"]);

/** Methods whose requests say that they have no body when they have none. */
const WITH_BODIES: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const TARGET = /^\/[\x21-\x7e\x80-\xff]*$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * How the body of a request goes. One of unknown size goes in chunks.
 * @param body its size where it is known whole; "flow" where it comes in pieces
 */
export function framingOf({ method, headers }: RequestHead, body: number | "flow" | null): Framing {
  if (body === null) return WITH_BODIES.has(method) ? { kind: "length", bytes: 0 } : { kind: "none" };
  if (body !== "flow") return { kind: "length", bytes: body };
  const said = headers.find(([name]) => name.toLowerCase() === "content-length")?.[1];
  return said !== undefined && /^\d{1,15}$/.test(said) ? { kind: "length", bytes: Number(said) } : { kind: "chunked" };
}

/**
 * The head of a request as it goes over the wire; every character of it is one byte.
 * @throws TypeError for what HTTP does not allow in it: nobody may write into the connection beside it.
 */
export function requestHead({ method, path, headers }: RequestHead, host: string, framing: Framing): string {
  if (!TOKEN.test(method)) throw new TypeError("a method that HTTP does not allow");
  if (!TARGET.test(path)) throw new TypeError("a path that HTTP does not allow");
  let head = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n`;
  for (const [name, value] of headers) {
    if (NOT_SENT.has(name.toLowerCase())) continue;
    if (!TOKEN.test(name) || !VALUE.test(value)) throw new TypeError("a header that HTTP does not allow");
    head += `${name}: ${value}\r\n`;
  }
  if (framing.kind === "length") head += `content-length: ${framing.bytes}\r\n`;
  else if (framing.kind === "chunked") head += "transfer-encoding: chunked\r\n";
  return `${head}\r\n`;
}
