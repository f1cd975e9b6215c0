import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { joinableFleet } from "../../control/hosts/admit-host.ts";
import { type Control, ControlError } from "../../control/types.ts";
import {
  joinAnswer,
  joinCheckAnswer,
  joinRequest,
  LEAVE_PATH,
  leaveAnswer,
  REPORT_BYTES_MAX,
  report,
  resourceName,
  syncAnswer,
} from "../../wire/index.ts";
import type { ApiEnv } from "../auth.ts";
import { limitBody } from "../body-limit.ts";
import { JOIN_BODY_BYTES_MAX, SYNCS_PER_HOST_MAX, SYNCS_PER_PROJECT_MAX } from "../limits.ts";
import { inTurn, type ReportPace, type ReportTurns, withinPace } from "../pace.ts";
import { bearerAuth, changeRefusals, json, jsonBody, refusals } from "../schemas.ts";
import { Shares, type WhenSent, withinShare } from "../shares.ts";

export const SYNC_PATH = "/agent/sync";
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

const check = createRoute({
  method: "get",
  path: JOIN_PATH,
  summary: "Whether a host could join with this token now; nothing is used up",
  security: bearerAuth,
  request: { query: z.object({ fleet: resourceName.optional() }) },
  responses: { 200: json(joinCheckAnswer, "It could, and the fleet that it would join."), ...changeRefusals },
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

const leave = createRoute({
  method: "post",
  path: LEAVE_PATH,
  summary: "A host has ended all that it ran, and is forgotten",
  security: bearerAuth,
  responses: {
    200: json(leaveAnswer, "It is forgotten, and its credential opens nothing any more."),
    ...refusals,
  },
});

interface AgentRouteOptions {
  pace: ReportPace | undefined;
  turns: ReportTurns | undefined;
  whenSent: WhenSent | undefined;
}

export function agentRoutes(
  app: OpenAPIHono<ApiEnv>,
  control: Control,
  { pace, turns, whenSent }: AgentRouteOptions,
): void {
  app.openapi(join, async (c) => c.json(await control.join(c.get("caller"), c.req.valid("json")), 200));

  app.openapi(check, (c) => {
    const caller = c.get("caller");
    return c.json({ project: caller.project, fleet: joinableFleet(caller, c.req.valid("query").fleet) }, 200);
  });
  app.openapi(leave, async (c) => {
    const { subject } = c.get("caller");
    if (subject === null) throw new ControlError("forbidden", "this credential is no host's");
    await control.leaveHost(c.get("caller"));
    return c.json({ host: subject }, 200);
  });

  const all = new Shares(
    SYNCS_PER_PROJECT_MAX,
    `${SYNCS_PER_PROJECT_MAX} syncs of this project's hosts are under way, the most that may be. Try again.`,
  );
  app.use(SYNC_PATH, withinShare(all, whenSent));
  const syncs = new Shares(
    SYNCS_PER_HOST_MAX,
    `This host has ${SYNCS_PER_HOST_MAX} syncs under way. Await their answers.`,
  );
  app.use(
    SYNC_PATH,
    withinShare(syncs, whenSent, ({ project, subject }) => `${project}/${subject}`),
  );
  if (pace) app.use(SYNC_PATH, withinPace(pace));
  if (turns) app.use(SYNC_PATH, inTurn(turns));
  app.openapi(sync, async (c) => {
    const { project, subject } = c.get("caller");
    if (subject === null) throw new ControlError("forbidden", "this credential is no host's");
    return c.json(await control.syncUnlinked(project, subject, c.req.valid("json"), c.get("waitedMs")), 200);
  });
}
