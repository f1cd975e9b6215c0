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
  /** The fleet that the host means to join: a token for another one is refused, and not used up. */
  fleet: resourceName.optional(),
  /**
   * Hex SHA-256 of the credential that the agent has chosen for itself, and keeps before it asks: a join whose answer was
   * lost is sent again as it was and succeeds again, though its token is used.
   */
  credentialHash: z.string().regex(/^[0-9a-f]{64}$/),
});

export const joinAnswer = z.object({
  project: resourceName,
  fleet: resourceName,
  host: id,
});

export type JoinRequest = z.infer<typeof joinRequest>;
export type JoinAnswer = z.infer<typeof joinAnswer>;
