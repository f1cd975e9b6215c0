import type { Store } from "../../store/types.ts";
import { ControlError } from "../types.ts";

/** How far back in the journal the changes that made a plan stale are looked for. */
const COMMITS_READ = 1_000;

/** The newest of them that are told. */
const CHANGES_TOLD = 5;

/** What the journal says when a service is created, changed, stopped or deleted. */
const TELLING = /^service\.(applied|stopping|deleted)$/;

/**
 * The refusal of a stale plan with what changed the service since, and by whom, as far as the journal goes.
 * @param version the project's newest commit
 * @param planned the revision that the plan was made on; what came after it is told
 */
export async function tellWhoChanged(
  refusal: ControlError,
  { store, project, version, service }: { store: Store; project: string; version: number; service: string },
  planned: number,
): Promise<ControlError> {
  const { rows } = await store.journal(project, Math.max(0, version - COMMITS_READ), COMMITS_READ);
  const told = rows.flatMap(({ at, actor, events }) =>
    events
      .filter((event) => event.service === service && TELLING.test(event.type))
      .map(({ type, message }) => ({ message, at, actor, isApply: type === "service.applied" })),
  );
  // Each apply that changes anything makes one revision, and the first after the service was deleted makes revision 1.
  const first = new RegExp(`^revision ${planned + 1}(:|$)`);
  const since = told.findIndex(({ isApply, message }) => isApply && first.test(message));
  const lines = told
    .slice(since === -1 ? -1 : since)
    .slice(-CHANGES_TOLD)
    .map(({ message, at, actor }) => `  ${actor}, ${new Date(at).toISOString().replace(/\.\d+/, "")}: ${message}`);
  return new ControlError(refusal.code, [`${refusal.message}.`, ...lines].join("\n"));
}
