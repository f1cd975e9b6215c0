import * as z from "zod";
import { id, spanMs } from "./names.ts";

const headers = z.array(z.tuple([z.string(), z.string()])).max(200);

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
export type LogLine = z.infer<typeof logLine>;
