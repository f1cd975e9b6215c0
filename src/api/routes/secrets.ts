import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import type { Control } from "../../control/types.ts";
import { secretChangeAnswer, secretRequest } from "../../control/views/views.ts";
import { secretList } from "../answers.ts";
import { type ApiEnv, adminsOnly } from "../auth.ts";
import { limitBody } from "../body-limit.ts";
import { SECRET_BODY_BYTES_MAX } from "../limits.ts";
import {
  bearerAuth,
  changeHeaders,
  changeRefusals,
  json,
  jsonBody,
  notFound,
  projectParams,
  refusals,
  secretParams,
} from "../schemas.ts";

const SECRET = "/api/projects/{project}/secrets/{secret}";

const list = createRoute({
  method: "get",
  path: "/api/projects/{project}/secrets",
  summary: "The secrets of the project and which services use them; never their values",
  security: bearerAuth,
  request: { params: projectParams },
  responses: { 200: json(secretList, "The secrets."), ...refusals },
});

const set = createRoute({
  method: "put",
  path: SECRET,
  summary: "Give a secret a value; what runs keeps the one that it has until it is applied again",
  security: bearerAuth,
  middleware: [adminsOnly, limitBody(SECRET_BODY_BYTES_MAX)] as const,
  request: { params: secretParams, headers: changeHeaders, body: jsonBody(secretRequest) },
  responses: { 200: json(secretChangeAnswer, "Committed."), ...changeRefusals },
});

const remove = createRoute({
  method: "delete",
  path: SECRET,
  summary: "Delete a secret that no running service uses",
  security: bearerAuth,
  middleware: [adminsOnly] as const,
  request: { params: secretParams, headers: changeHeaders },
  responses: { 200: json(secretChangeAnswer, "Committed."), ...changeRefusals, ...notFound("secret") },
});

export function secretRoutes(app: OpenAPIHono<ApiEnv>, control: Control): void {
  app.openapi(list, async (c) => c.json({ secrets: await control.secrets(c.req.valid("param").project) }, 200));

  app.openapi(set, async (c) => {
    const key = c.req.valid("header")["idempotency-key"];
    const { value } = c.req.valid("json");
    return c.json(await control.setSecret(c.get("caller"), c.req.valid("param").secret, value, key), 200);
  });

  app.openapi(remove, async (c) => {
    const key = c.req.valid("header")["idempotency-key"];
    return c.json(await control.deleteSecret(c.get("caller"), c.req.valid("param").secret, key), 200);
  });
}
