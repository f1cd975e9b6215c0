import type { Credential, Store } from "../../store/types.ts";
import { ControlError } from "../types.ts";

/** Tokens of people, pipelines and joins that a project may have; each is a row that every new one is compared with. */
export const TOKENS_PER_PROJECT_MAX = 1_000;

/** A token that is over is remembered this long, so that a request that was repeated finds what it made. */
const OVER_KEPT_MS = 24 * 3_600_000;

/**
 * Makes room for one more token where a project is at its bound: those go that have long been over.
 * @param known all credentials of the project
 * @throws ControlError `too_many`
 */
export async function makeTokenRoom(store: Store, project: string, known: Credential[], now: number): Promise<void> {
  const tokens = known.filter(({ kind }) => kind !== "host");
  if (tokens.length < TOKENS_PER_PROJECT_MAX) return;
  const isOver = (at: number | null) => at !== null && at < now - OVER_KEPT_MS;
  const over = tokens.filter(({ expiresAt, usedAt }) => isOver(expiresAt) || isOver(usedAt));
  if (tokens.length - over.length >= TOKENS_PER_PROJECT_MAX) {
    throw new ControlError(
      "too_many",
      `project ${project} has ${tokens.length} tokens, the most that one may have; revoke some (headrace token revoke), or wait for those that expire to make room a day later`,
    );
  }
  for (const { id } of over) await store.deleteCredential(project, id);
}
