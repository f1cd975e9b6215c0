import type { Store } from "../store/types.ts";
import type { Project } from "./project.ts";
import type { CommitView } from "./views/views.ts";

/** Commits read from the journal at once. */
const PAGE_ROWS = 200;

/**
 * Yields the commits after `after` in their order as they are made, until `signal` aborts, the project closes, or the
 * journal was read `readsMax` times: whoever wants more goes on after the last one.
 */
export async function* followCommits(
  project: Project,
  store: Store,
  after: number,
  signal: AbortSignal,
  readsMax: number,
): AsyncGenerator<CommitView> {
  let wake: () => void = () => {};
  const stopListening = project.onCommit(() => wake());
  const aborted = () => wake();
  signal.addEventListener("abort", aborted);
  try {
    const { version } = await project.controller.state();
    let cursor = after < 0 ? Math.max(0, version + after) : after;
    for (let reads = 0; reads < readsMax && !signal.aborted && !project.closed; ) {
      // Armed before the look, so that a commit between it and the wait is not slept through.
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      if ((await project.controller.state()).version <= cursor) {
        await woken;
        continue;
      }
      reads += 1;
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
