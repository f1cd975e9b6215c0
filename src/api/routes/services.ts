import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { type Control, ControlError } from "../../control/types.ts";
import { applyAnswer, applyRequest, changeAnswer, planView, serviceView } from "../../control/views/views.ts";
import { id } from "../../wire/index.ts";
import { serviceList } from "../answers.ts";
import type { ApiEnv } from "../auth.ts";
import { limitBody } from "../body-limit.ts";
import { CONFIG_BODY_BYTES_MAX, TAIL_LINES_MAX } from "../limits.ts";
import { logStream } from "../log-stream.ts";
import {
  bearerAuth,
  changeHeaders,
  changeRefusals,
  json,
  jsonBody,
  notFound,
  projectParams,
  queryFlag,
  queryInt,
  refusals,
  serviceParams,
} from "../schemas.ts";
import type { Shares } from "../shares.ts";

// A plain string: the literal type would be taken for a JSON answer of one value, which `c.json` would have to make.
const NDJSON: string = "application/x-ndjson";

const PROJECT = "/api/projects/{project}";

const plan = createRoute({
  method: "post",
  path: `${PROJECT}/plan`,
  summary: "What an apply would do; changes nothing",
  security: bearerAuth,
  middleware: [limitBody(CONFIG_BODY_BYTES_MAX)] as const,
  request: { params: projectParams, body: jsonBody(applyRequest) },
  responses: { 200: json(planView, "The plan."), ...changeRefusals },
});

const apply = createRoute({
  method: "post",
  path: `${PROJECT}/apply`,
  summary: "Create or change a service",
  security: bearerAuth,
  middleware: [limitBody(CONFIG_BODY_BYTES_MAX)] as const,
  request: { params: projectParams, headers: changeHeaders, body: jsonBody(applyRequest) },
  responses: { 200: json(applyAnswer, "Committed."), ...changeRefusals },
});

const list = createRoute({
  method: "get",
  path: `${PROJECT}/services`,
  summary: "All services with their replicas",
  security: bearerAuth,
  request: { params: projectParams },
  responses: { 200: json(serviceList, "The services."), ...refusals },
});

const one = createRoute({
  method: "get",
  path: `${PROJECT}/services/{service}`,
  summary: "One service with its replicas",
  security: bearerAuth,
  request: { params: serviceParams },
  responses: { 200: json(serviceView, "The service."), ...refusals, ...notFound("service") },
});

const stop = createRoute({
  method: "post",
  path: `${PROJECT}/services/{service}/stop`,
  summary: "Stop a service: no new requests, open streams end first",
  security: bearerAuth,
  request: { params: serviceParams, headers: changeHeaders },
  responses: { 200: json(changeAnswer, "Committed."), ...changeRefusals, ...notFound("service") },
});

const remove = createRoute({
  method: "delete",
  path: `${PROJECT}/services/{service}`,
  summary: "Delete a stopped service",
  security: bearerAuth,
  request: { params: serviceParams, headers: changeHeaders },
  responses: { 200: json(changeAnswer, "Committed."), ...changeRefusals, ...notFound("service") },
});

const logs = createRoute({
  method: "get",
  path: `${PROJECT}/services/{service}/logs`,
  summary: "The log lines of a service's replicas, one JSON object a line",
  security: bearerAuth,
  request: {
    params: serviceParams,
    query: z.object({
      replica: id.optional(),
      tail: queryInt(0, TAIL_LINES_MAX).default(100),
      follow: queryFlag,
    }),
  },
  responses: {
    200: {
      description: "The lines. One with an `error` says of which replica the log cannot be read, or not any further.",
      content: { [NDJSON]: { schema: z.string() } },
    },
    ...refusals,
    ...notFound("service"),
  },
});

export function serviceRoutes(app: OpenAPIHono<ApiEnv>, control: Control, streams: Shares): void {
  app.openapi(plan, async (c) => c.json(await control.plan(c.get("caller"), c.req.valid("json")), 200));

  app.openapi(apply, async (c) => {
    const key = c.req.valid("header")["idempotency-key"];
    return c.json(await control.apply(c.get("caller"), c.req.valid("json"), key), 200);
  });

  app.openapi(list, async (c) => c.json({ services: await control.services(c.req.valid("param").project) }, 200));

  app.openapi(one, async (c) => {
    const { project, service } = c.req.valid("param");
    const view = await control.serviceView(project, service);
    if (view === null) throw new ControlError("not_found", `there is no service ${service}: see headrace ps`);
    return c.json(view, 200);
  });

  app.openapi(stop, async (c) => {
    const key = c.req.valid("header")["idempotency-key"];
    return c.json(await control.stop(c.get("caller"), c.req.valid("param").service, key), 200);
  });

  app.openapi(remove, async (c) => {
    const key = c.req.valid("header")["idempotency-key"];
    return c.json(await control.delete(c.get("caller"), c.req.valid("param").service, key), 200);
  });

  app.openapi(logs, async (c) => {
    const { project, service } = c.req.valid("param");
    const { replica, tail, follow } = c.req.valid("query");
    const options = { tailLines: tail, follow, ...(replica === undefined ? {} : { replica }) };
    return logStream(streams.take(project), c.req.raw.signal, (signal) =>
      control.logs(project, service, options, signal),
    );
  });
}
