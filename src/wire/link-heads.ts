import * as z from "zod";
import { ID, id, spanMs } from "./names.ts";

const HEADERS_MAX = 200;
/** Where agents dial. */
export const LINK_PATH = "/agent/link";

const headers = z.array(z.tuple([z.string(), z.string()])).max(HEADERS_MAX);

/** Opens a stream from the control plane to an agent. */
export const openToAgent = z.discriminatedUnion("kind", [
  /** A request for one replica; an agent that does not run it answers 421. Hop-by-hop headers are already taken out. */
  z.object({ kind: z.literal("http"), replica: id, method: z.string(), path: z.string(), headers }),
  /** Something changed: sync now. Answered 204. */
  z.object({ kind: z.literal("wake") }),
  /** The log of a replica's job: newline-separated JSON (`logLine`). */
  z.object({ kind: z.literal("logs"), replica: id, tailLines: z.int().min(0).max(10_000), follow: z.boolean() }),
]);

/**
 * On an agent's 421: no replica has seen the request, whose body is untouched, so it can go elsewhere. Its value says
 * why. A 421 without it is the replica's own answer; agents let no replica say this word.
 */
export const REFUSED_HEADER = "x-headrace-refused";
/** - `not_here`: this host does not run that replica now; - `unreachable`: it does, but no connection is accepted. */
export type RefusedBecause = "not_here" | "unreachable";

/** Opens a stream from an agent to the control plane. */
export const openToControl = z.discriminatedUnion("kind", [
  /** The body is a `report`, the answer's body a `syncAnswer`. */
  z.object({ kind: z.literal("sync") }),
]);

export const logLine = z.object({
  replica: id,
  /** Age of the line when it was sent. */
  ageMs: spanMs,
  attempt: z.int().min(0),
  text: z.string(),
});

export type OpenToAgent = z.infer<typeof openToAgent>;

/**
 * What the control plane opens, as `openToAgent` reads it; null: something else. Requests, of which there are
 * thousands a second, are checked by hand.
 */
export function readOpenToAgent(value: unknown): OpenToAgent | null {
  return requestOf(value) ?? openToAgent.safeParse(value).data ?? null;
}

function requestOf(value: unknown): OpenToAgent | null {
  if (typeof value !== "object" || value === null) return null;
  const { kind, replica, method, path, headers } = value as Record<string, unknown>;
  if (kind !== "http" || typeof replica !== "string" || !ID.test(replica)) return null;
  if (typeof method !== "string" || typeof path !== "string" || !Array.isArray(headers)) return null;
  if (headers.length > HEADERS_MAX || !headers.every(isHeader)) return null;
  return { kind, replica, method, path, headers };
}

function isHeader(pair: unknown): boolean {
  return Array.isArray(pair) && pair.length === 2 && typeof pair[0] === "string" && typeof pair[1] === "string";
}
export type LogLine = z.infer<typeof logLine>;
