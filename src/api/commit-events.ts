import type { Control } from "../control/types.ts";
import type { SseEvent } from "./sse.ts";

/** Where a follower begins: after `after`; `gap` is set when commits between its cursor and there are no longer kept. */
export interface FollowStart {
  after: number;
  gap: { oldest: number } | null;
}

/**
 * @param cursor a commit version; negative: with the newest `-cursor` commits; null: with what comes from now on
 */
export async function followStart(control: Control, project: string, cursor: number | null): Promise<FollowStart> {
  if (cursor === null || cursor < 0) {
    const newest = await control.journal(project, cursor ?? -1, -(cursor ?? -1));
    if (cursor === null) return { after: newest.commits.at(-1)?.version ?? 0, gap: null };
    return { after: (newest.commits[0]?.version ?? 1) - 1, gap: null };
  }
  const { oldest } = await control.journal(project, cursor, 1);
  return cursor + 1 < oldest ? { after: oldest - 1, gap: { oldest } } : { after: cursor, gap: null };
}

/** Commits as server-sent events with their version as id. A `gap` event comes first where commits are missing. */
export async function* commitEvents(
  control: Control,
  project: string,
  start: FollowStart,
  signal: AbortSignal,
): AsyncGenerator<SseEvent> {
  if (start.gap) yield { event: "gap", data: JSON.stringify(start.gap) };
  for await (const commit of control.follow(project, start.after, signal)) {
    yield { id: String(commit.version), data: JSON.stringify(commit) };
  }
}
