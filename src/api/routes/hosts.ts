import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { type Control, ControlError } from "../../control/types.ts";
import { cordonRequest, hostChangeAnswer, hostDetailView } from "../../control/views/views.ts";
import { hostList } from "../answers.ts";
import { type ApiEnv, adminsOnly } from "../auth.ts";
import { limitBody } from "../body-limit.ts";
import { CONFIG_BODY_BYTES_MAX } from "../limits.ts";
import {
  bearerAuth,
  changeHeaders,
  changeRefusals,
  hostParams,
  json,
  jsonBody,
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

const one = createRoute({
  method: "get",
  path: "/api/projects/{project}/hosts/{host}",
  summary: "One host with what runs on it",
  security: bearerAuth,
  request: { params: hostParams },
  responses: { 200: json(hostDetailView, "The host."), ...refusals, ...notFound("host") },
});

/** A change of a host that takes a reason. */
const takeOut = (how: "cordon" | "drain", summary: string) =>
  createRoute({
    method: "post",
    path: `/api/projects/{project}/hosts/{host}/${how}`,
    summary,
    security: bearerAuth,
    middleware: [adminsOnly, limitBody(CONFIG_BODY_BYTES_MAX)] as const,
    request: { params: hostParams, headers: changeHeaders, body: jsonBody(cordonRequest) },
    responses: { 200: json(hostChangeAnswer, "Committed."), ...changeRefusals, ...notFound("host") },
  });

const cordon = takeOut("cordon", "Give a host nothing new");
const drainRoute = takeOut(
  "drain",
  "Give a host nothing new and move away what runs there: replaced first, stopped after",
);

const uncordon = createRoute({
  method: "post",
  path: "/api/projects/{project}/hosts/{host}/uncordon",
  summary: "Give a host back",
  security: bearerAuth,
  middleware: [adminsOnly] as const,
  request: { params: hostParams, headers: changeHeaders },
  responses: { 200: json(hostChangeAnswer, "Committed."), ...changeRefusals, ...notFound("host") },
});

const remove = createRoute({
  method: "delete",
  path: "/api/projects/{project}/hosts/{host}",
  summary: "Forget a host and its credential; one that has jobs only by force",
  security: bearerAuth,
  middleware: [adminsOnly] as const,
  request: { params: hostParams, headers: changeHeaders, query: z.object({ force: queryFlag }) },
  responses: { 200: json(hostChangeAnswer, "Committed."), ...changeRefusals, ...notFound("host") },
});

export function hostRoutes(app: OpenAPIHono<ApiEnv>, control: Control): void {
  app.openapi(hosts, async (c) => c.json({ hosts: await control.hosts(c.req.valid("param").project) }, 200));

  app.openapi(one, async (c) => {
    const { project, host } = c.req.valid("param");
    const view = await control.hostView(project, host);
    if (view === null) throw new ControlError("not_found", `there is no host ${host}: see headrace host list`);
    return c.json(view, 200);
  });

  for (const [route, drain] of [
    [cordon, false],
    [drainRoute, true],
  ] as const) {
    app.openapi(route, async (c) => {
      const key = c.req.valid("header")["idempotency-key"];
      const { reason } = c.req.valid("json");
      return c.json(await control.cordonHost(c.get("caller"), c.req.valid("param").host, { drain, reason }, key), 200);
    });
  }

  app.openapi(uncordon, async (c) => {
    const key = c.req.valid("header")["idempotency-key"];
    return c.json(await control.uncordonHost(c.get("caller"), c.req.valid("param").host, key), 200);
  });

  app.openapi(remove, async (c) => {
    const key = c.req.valid("header")["idempotency-key"];
    const { force } = c.req.valid("query");
    return c.json(await control.removeHost(c.get("caller"), c.req.valid("param").host, force, key), 200);
  });
}
