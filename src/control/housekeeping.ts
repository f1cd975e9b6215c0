import type { Store } from "../store/types.ts";
import { FILES_KEPT_UNUSED_MS } from "./apply/file-shelf.ts";
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import type { Project } from "./project.ts";

/** Commits of a project that its journal keeps; who follows from further back starts from what is now. */
const JOURNAL_ROWS_KEPT = 10_000;
/**
 * Trimmed every so many commits: a trim costs about as much as a commit. Counted by the project's version, since the
 * controller of a quiet project on Workers is put away long before it has made as many itself.
 */
const COMMITS_BETWEEN_TRIMS = 500;
/** How long a repeated request gets the first one's answer. */
export const ANSWERS_KEPT_MS = 24 * 3_600_000;

/** Keeps what grows with every change within bounds. A trim that fails is made up for by the next one. */
export function keepHouse(project: Project, store: Store, clock: Clock, log: Log): void {
  project.onCommit(() => {
    const version = project.controller.current?.version ?? 0;
    if (version % COMMITS_BETWEEN_TRIMS !== 0 || project.closed) return;
    Promise.all([
      store.trimJournal(project.name, JOURNAL_ROWS_KEPT),
      store.trimIdempotency(clock.now() - ANSWERS_KEPT_MS),
      store.trimFiles(project.name, clock.now() - FILES_KEPT_UNUSED_MS),
    ]).catch((error) => log("warn", "old rows could not be removed", { project: project.name, error: String(error) }));
  });
}
