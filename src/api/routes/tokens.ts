import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import type { Control } from "../../control/types.ts";
import { tokenAnswer, tokenRequest } from "../../control/views.ts";
import { type ApiEnv, adminsOnly } from "../auth.ts";
import { limitBody } from "../body-limit.ts";
import { BODY_BYTES_MAX } from "../limits.ts";
import { bearerAuth, changeHeaders, changeRefusals, json, jsonBody, projectParams } from "../schemas.ts";

const create = createRoute({
  method: "post",
  path: "/api/projects/{project}/tokens",
  summary: "Make a token; it is shown this once",
  security: bearerAuth,
  middleware: [adminsOnly, limitBody(BODY_BYTES_MAX)] as const,
  request: { params: projectParams, headers: changeHeaders, body: jsonBody(tokenRequest) },
  responses: { 200: json(tokenAnswer, "The token."), ...changeRefusals },
});

export function tokenRoutes(app: OpenAPIHono<ApiEnv>, control: Control): void {
  app.openapi(create, async (c) => {
    const key = c.req.valid("header")["idempotency-key"];
    return c.json(await control.createToken(c.get("caller"), c.req.valid("json"), key), 200);
  });
}
