import { makeToken, tokenHash } from "../control/tokens/tokens.ts";
import { closedFleet } from "../core/hosts/fleets.ts";
import { NEW_PROJECT } from "../core/project-state.ts";
import type { Entity } from "../core/state.ts";
import type { Store } from "../store/types.ts";

/** The project and the fleet that every server has. */
export const FIRST_PROJECT = "main";
const FIRST_FLEET = "default";

/** What a new project begins with. */
export const FIRST_ENTITIES: Entity[] = [NEW_PROJECT, closedFleet(FIRST_FLEET)];

/**
 * Makes what a new server needs. Does nothing where it is there; what a crash left out is made at the next start.
 * @param keep is handed the first admin token before its hash is stored, so that no crash leaves one that nobody has
 * @returns the first admin token when there was none: it is shown once and only its hash is kept
 */
export async function firstStart(
  store: Store,
  now: number,
  keep: (adminToken: string) => Promise<void> = async () => {},
): Promise<{ adminToken: string } | null> {
  await store.createProject(FIRST_PROJECT, now, FIRST_ENTITIES);
  const credentials = await store.credentials(FIRST_PROJECT);
  if (credentials.some((credential) => credential.kind === "admin")) return null;
  const adminToken = makeToken("admin");
  await keep(adminToken);
  await store.putCredential({
    id: crypto.randomUUID(),
    project: FIRST_PROJECT,
    kind: "admin",
    name: "first admin",
    hash: await tokenHash(adminToken),
    subject: null,
    createdAt: now,
    expiresAt: null,
    usedAt: null,
    madeBy: null,
  });
  return { adminToken };
}
