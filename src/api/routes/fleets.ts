import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import type { Control } from "../../control/types.ts";
import { fleetApplyAnswer, fleetChangeAnswer, fleetPlanView, fleetRequest } from "../../control/views/views-fleet.ts";
import { fleetList } from "../answers.ts";
import { type ApiEnv, adminsOnly } from "../auth.ts";
import { limitBody } from "../body-limit.ts";
import { CONFIG_BODY_BYTES_MAX } from "../limits.ts";
import {
  bearerAuth,
  changeHeaders,
  changeRefusals,
  fleetParams,
  json,
  jsonBody,
  notFound,
  projectParams,
  refusals,
} from "../schemas.ts";

const FLEETS = "/api/projects/{project}/fleets";

const list = createRoute({
  method: "get",
  path: FLEETS,
  summary: "The fleets of the project",
  security: bearerAuth,
  request: { params: projectParams },
  responses: { 200: json(fleetList, "The fleets."), ...refusals },
});

const plan = createRoute({
  method: "post",
  path: `${FLEETS}/plan`,
  summary: "What an apply of a fleet's file would do; changes nothing",
  security: bearerAuth,
  middleware: [limitBody(CONFIG_BODY_BYTES_MAX)] as const,
  request: { params: projectParams, body: jsonBody(fleetRequest) },
  responses: { 200: json(fleetPlanView, "The plan."), ...changeRefusals },
});

const apply = createRoute({
  method: "post",
  path: FLEETS,
  summary: "Create or change a fleet",
  security: bearerAuth,
  middleware: [adminsOnly, limitBody(CONFIG_BODY_BYTES_MAX)] as const,
  request: { params: projectParams, headers: changeHeaders, body: jsonBody(fleetRequest) },
  responses: { 200: json(fleetApplyAnswer, "Committed."), ...changeRefusals },
});

const remove = createRoute({
  method: "delete",
  path: `${FLEETS}/{fleet}`,
  summary: "Delete a fleet that no host is in",
  security: bearerAuth,
  middleware: [adminsOnly] as const,
  request: { params: fleetParams, headers: changeHeaders },
  responses: { 200: json(fleetChangeAnswer, "Committed."), ...changeRefusals, ...notFound("fleet") },
});

export function fleetRoutes(app: OpenAPIHono<ApiEnv>, control: Control): void {
  app.openapi(list, async (c) => c.json({ fleets: await control.fleets(c.req.valid("param").project) }, 200));

  app.openapi(plan, async (c) => c.json(await control.planFleet(c.get("caller"), c.req.valid("json")), 200));

  app.openapi(apply, async (c) => {
    const key = c.req.valid("header")["idempotency-key"];
    return c.json(await control.applyFleet(c.get("caller"), c.req.valid("json"), key), 200);
  });

  app.openapi(remove, async (c) => {
    const key = c.req.valid("header")["idempotency-key"];
    return c.json(await control.deleteFleet(c.get("caller"), c.req.valid("param").fleet, key), 200);
  });
}
