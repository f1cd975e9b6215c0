import type { Log } from "../control/log.ts";
import type { Store } from "../store/types.ts";
import { type Env, projectStub } from "./env.ts";

/** An alarm comes within moments; a project overdue by this has lost its own. */
const OVERDUE_MS = 30_000;
/** Looked after in one minute: the smallest plan allows fifty requests in an invocation. */
const PROJECTS_A_MINUTE_MAX = 40;

/** Every minute: one question to the database, and a poke for each project whose alarm was lost. */
export async function sweep(env: Env, store: Store, now: number, log: Log): Promise<void> {
  const overdue = await store.overdue(now - OVERDUE_MS, PROJECTS_A_MINUTE_MAX);
  if (overdue.length > 0) log("warn", "projects whose alarm was lost", { projects: overdue });
  const poked = await Promise.allSettled(overdue.map((project) => projectStub(env, project).poke(project)));
  for (const [i, outcome] of poked.entries()) {
    if (outcome.status === "rejected") {
      log("error", "a project could not be looked at", { project: overdue[i], error: String(outcome.reason) });
    }
  }
}
