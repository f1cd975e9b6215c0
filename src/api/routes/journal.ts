import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import type { Control } from "../../control/types.ts";
import { journalPage } from "../answers.ts";
import type { ApiEnv } from "../auth.ts";
import { commitEvents, followStart } from "../commit-events.ts";
import { errorForPeople, type ReportError } from "../errors.ts";
import { FOLLOW_MS_MAX, JOURNAL_PAGE_MAX } from "../limits.ts";
import { bearerAuth, json, projectParams, queryInt, refusals } from "../schemas.ts";
import type { Shares } from "../shares.ts";
import { sseBody } from "../sse.ts";

/** Negative: the newest so many. */
const VERSION = queryInt(-JOURNAL_PAGE_MAX, Number.MAX_SAFE_INTEGER);

const journal = createRoute({
  method: "get",
  path: "/api/projects/{project}/commits",
  summary: "A page of the journal, oldest first",
  description:
    "Commits after version `after`; a negative `after` means the newest so many. Ask again with the version of the last " +
    "one for the next page. `oldest` is the first version still kept.",
  security: bearerAuth,
  request: {
    params: projectParams,
    query: z.object({
      after: VERSION.default(0),
      limit: queryInt(1, JOURNAL_PAGE_MAX).default(100),
    }),
  },
  responses: { 200: json(journalPage, "The page."), ...refusals },
});

const follow = createRoute({
  method: "get",
  path: "/api/projects/{project}/commits/stream",
  summary: "Follow commits as server-sent events",
  description:
    "Each event's data is a commit, its id the version. Starts after `Last-Event-ID`, else after `after` (negative: with " +
    "the newest so many), else now. An event `gap` says that commits before `oldest` are no longer kept: read the state " +
    "anew. An event `error` ends the stream. The stream also ends after an hour: come back with the last id.",
  security: bearerAuth,
  request: {
    params: projectParams,
    query: z.object({
      after: VERSION.optional(),
    }),
    headers: z.object({
      "last-event-id": z
        .string()
        .regex(/^\d{1,15}$/, "must be the id of an event of this stream: a commit version")
        .optional(),
    }),
  },
  responses: {
    200: { description: "The events.", content: { "text/event-stream": { schema: z.string() } } },
    ...refusals,
  },
});

export interface JournalOptions {
  streams: Shares;
  heartbeatMs: number;
  report: ReportError;
}

export function journalRoutes(app: OpenAPIHono<ApiEnv>, control: Control, options: JournalOptions): void {
  app.openapi(journal, async (c) => {
    const { after, limit } = c.req.valid("query");
    return c.json(await control.journal(c.req.valid("param").project, after, limit), 200);
  });

  app.openapi(follow, async (c) => {
    const { project } = c.req.valid("param");
    const lastId = c.req.valid("header")["last-event-id"];
    const cursor = lastId === undefined ? (c.req.valid("query").after ?? null) : Number(lastId);
    const start = await followStart(control, project, cursor);
    const release = options.streams.take(project);
    const left = new AbortController();
    const signal = AbortSignal.any([left.signal, c.req.raw.signal, AbortSignal.timeout(FOLLOW_MS_MAX)]);
    const body = sseBody(commitEvents(control, project, start, signal), {
      heartbeatMs: options.heartbeatMs,
      failure: (error) => ({ event: "error", data: JSON.stringify(errorForPeople(error, options.report)) }),
      onEnd: () => {
        left.abort();
        release();
      },
    });
    return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
  });
}
