import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { type Control, ControlError } from "../../control/types.ts";
import { joinAnswer, joinRequest, REPORT_BYTES_MAX, report, syncAnswer } from "../../wire/index.ts";
import type { ApiEnv } from "../auth.ts";
import { limitBody } from "../body-limit.ts";
import { JOIN_BODY_BYTES_MAX, SYNCS_PER_HOST_MAX } from "../limits.ts";
import { type ReportPace, withinPace } from "../pace.ts";
import { bearerAuth, changeRefusals, json, jsonBody } from "../schemas.ts";
import { Shares, type WhenSent, withinShare } from "../shares.ts";

const SYNC_PATH = "/agent/sync";
/** The one that needs a join token; every other path below `/agent` needs a host's own credential. */
export const JOIN_PATH = "/agent/join";

const join = createRoute({
  method: "post",
  path: JOIN_PATH,
  summary: "A host joins its fleet with a one-time join token",
  security: bearerAuth,
  middleware: [limitBody(JOIN_BODY_BYTES_MAX)] as const,
  request: { body: jsonBody(joinRequest) },
  responses: {
    200: json(joinAnswer, "The host has joined, and its credential opens its link from now on."),
    ...changeRefusals,
  },
});

const sync = createRoute({
  method: "post",
  path: SYNC_PATH,
  summary: "A host that can open no link reports, and is told what it shall run and when to come back",
  security: bearerAuth,
  middleware: [limitBody(REPORT_BYTES_MAX)] as const,
  request: { body: jsonBody(report) },
  responses: {
    200: json(syncAnswer, "The same as over the link; `nextSyncInMs` is what the host is expected to keep to."),
    ...changeRefusals,
  },
});

interface AgentRouteOptions {
  pace: ReportPace | undefined;
  whenSent: WhenSent | undefined;
}

export function agentRoutes(app: OpenAPIHono<ApiEnv>, control: Control, { pace, whenSent }: AgentRouteOptions): void {
  app.openapi(join, async (c) => c.json(await control.join(c.get("caller"), c.req.valid("json")), 200));

  const syncs = new Shares(
    SYNCS_PER_HOST_MAX,
    `This host has ${SYNCS_PER_HOST_MAX} syncs under way. Await their answers.`,
  );
  app.use(
    SYNC_PATH,
    withinShare(syncs, whenSent, ({ project, subject }) => `${project}/${subject}`),
  );
  if (pace) app.use(SYNC_PATH, withinPace(pace));
  app.openapi(sync, async (c) => {
    const { project, subject } = c.get("caller");
    if (subject === null) throw new ControlError("forbidden", "this credential is no host's");
    return c.json(await control.syncUnlinked(project, subject, c.req.valid("json")), 200);
  });
}
