import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import type { Control } from "../../control/types.ts";
import { hostChangeAnswer } from "../../control/views.ts";
import { hostList } from "../answers.ts";
import { type ApiEnv, adminsOnly } from "../auth.ts";
import {
  bearerAuth,
  changeHeaders,
  changeRefusals,
  hostParams,
  json,
  notFound,
  projectParams,
  queryFlag,
  refusals,
} from "../schemas.ts";

const hosts = createRoute({
  method: "get",
  path: "/api/projects/{project}/hosts",
  summary: "The hosts of the project's fleets",
  security: bearerAuth,
  request: { params: projectParams },
  responses: { 200: json(hostList, "The hosts."), ...refusals },
});

const remove = createRoute({
  method: "delete",
  path: "/api/projects/{project}/hosts/{host}",
  summary: "Forget a host and its credential; one that has jobs only by force",
  security: bearerAuth,
  middleware: [adminsOnly] as const,
  request: { params: hostParams, headers: changeHeaders, query: z.object({ force: queryFlag }) },
  responses: { 200: json(hostChangeAnswer, "Committed."), ...changeRefusals, ...notFound },
});

export function hostRoutes(app: OpenAPIHono<ApiEnv>, control: Control): void {
  app.openapi(hosts, async (c) => c.json({ hosts: await control.hosts(c.req.valid("param").project) }, 200));

  app.openapi(remove, async (c) => {
    const key = c.req.valid("header")["idempotency-key"];
    const { force } = c.req.valid("query");
    return c.json(await control.removeHost(c.get("caller"), c.req.valid("param").host, force, key), 200);
  });
}
