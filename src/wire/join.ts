import * as z from "zod";
import { inventory } from "./inventory.ts";
import { id, opaqueName, resourceName } from "./names.ts";

/** `POST /agent/join`, with the one-time join token as bearer. */
export const joinRequest = z.object({
  /** What the operator calls it; the machine's hostname unless said otherwise. */
  name: z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9.-]{0,62}$/),
  machine: opaqueName.min(1),
  agentVersion: opaqueName,
  inventory,
});

export const joinAnswer = z.object({
  project: resourceName,
  fleet: resourceName,
  host: id,
  /** The host's own credential from now on. */
  credential: z.string(),
});

export type JoinRequest = z.infer<typeof joinRequest>;
export type JoinAnswer = z.infer<typeof joinAnswer>;
