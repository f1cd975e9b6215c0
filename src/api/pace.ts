import type { MiddlewareHandler } from "hono";
import { REPORT_BYTES_MAX } from "../wire/index.ts";
import type { ApiEnv } from "./auth.ts";
import { RequestError } from "./errors.ts";

/** How fast each project's hosts are listened to, over whichever carrier they report. */
export interface ReportPace {
  /** @returns how long a project has to wait before its next report may be read, in ms; 0 = not at all */
  waitMs(project: string): number;
  spend(project: string, bytes: number): void;
}

/** Whose report is read next, over whichever carrier it came. */
export interface ReportTurns {
  /** @throws the signal's reason when it aborts first */
  take(project: string, signal: AbortSignal): Promise<{ waitedMs: number; over(): void }>;
}

/** Has a report wait for its turn unread, and leaves in `waitedMs` how long that took. Runs after `allow`. */
export function inTurn(turns: ReportTurns): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const { waitedMs, over } = await turns.take(c.get("caller").project, c.req.raw.signal);
    c.set("waitedMs", waitedMs);
    try {
      await next();
    } finally {
      over();
    }
  };
}

/** Refuses a report unread while its project's hosts have sent more than their share. Runs after `allow`. */
export function withinPace(pace: ReportPace): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const { project } = c.get("caller");
    if (pace.waitMs(project) > 0) {
      throw new RequestError("too_many", "The hosts of this project report more than is read of one. Try again.");
    }
    // Who does not say how much it sends pays for the most that is read.
    pace.spend(project, Math.min(Number(c.req.header("content-length") ?? REPORT_BYTES_MAX), REPORT_BYTES_MAX));
    await next();
  };
}
