import type { Store } from "../store/types.ts";
import type { Project } from "./project.ts";
import type { CommitView } from "./views.ts";

/** Commits read from the journal at once. */
const PAGE_ROWS = 200;

/** Yields the commits after `after` in their order as they are made, until `signal` aborts or the project closes. */
export async function* followCommits(
  project: Project,
  store: Store,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<CommitView> {
  let wake: () => void = () => {};
  const stopListening = project.onCommit(() => wake());
  const aborted = () => wake();
  signal.addEventListener("abort", aborted);
  try {
    const { version } = await project.controller.state();
    let cursor = after < 0 ? Math.max(0, version + after) : after;
    while (!signal.aborted && !project.closed) {
      // Armed before the read, so that a commit between the read and the wait is not slept through.
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const { rows } = await store.journal(project.name, cursor, PAGE_ROWS);
      for (const row of rows) {
        if (signal.aborted) return;
        yield row;
        cursor = row.version;
      }
      if (rows.length === 0 && !signal.aborted) await woken;
    }
  } finally {
    stopListening();
    signal.removeEventListener("abort", aborted);
  }
}
