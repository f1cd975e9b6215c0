import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import type { Control } from "../../control/types.ts";
import { hostList } from "../answers.ts";
import type { ApiEnv } from "../auth.ts";
import { bearerAuth, json, projectParams, refusals } from "../schemas.ts";

const hosts = createRoute({
  method: "get",
  path: "/api/projects/{project}/hosts",
  summary: "The hosts of the project's fleets",
  security: bearerAuth,
  request: { params: projectParams },
  responses: { 200: json(hostList, "The hosts."), ...refusals },
});

export function hostRoutes(app: OpenAPIHono<ApiEnv>, control: Control): void {
  app.openapi(hosts, async (c) => c.json({ hosts: await control.hosts(c.req.valid("param").project) }, 200));
}
