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

/** To `GET /agent/join`, with a join token that a host could join with: the fleet that it is for. */
export const joinCheckAnswer = joinAnswer.omit({ host: true });

/** `POST` with a host's own credential, by a host on which nothing is left that it ran: it is forgotten, jobs and all. */
export const LEAVE_PATH = "/agent/leave";

export const leaveAnswer = joinAnswer.pick({ host: true });

export type JoinRequest = z.infer<typeof joinRequest>;
export type JoinAnswer = z.infer<typeof joinAnswer>;
