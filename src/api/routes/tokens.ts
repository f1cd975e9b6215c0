import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import type { Control } from "../../control/types.ts";
import { tokenAnswer, tokenRequest, tokenRevokeAnswer } from "../../control/views/views.ts";
import { tokenList } from "../answers.ts";
import { type ApiEnv, adminsOnly } from "../auth.ts";
import { limitBody } from "../body-limit.ts";
import { BODY_BYTES_MAX } from "../limits.ts";
import {
  bearerAuth,
  changeHeaders,
  changeRefusals,
  json,
  jsonBody,
  notFound,
  projectParams,
  refusals,
  tokenParams,
} from "../schemas.ts";

const TOKENS = "/api/projects/{project}/tokens";

const list = createRoute({
  method: "get",
  path: TOKENS,
  summary: "The tokens of the project, without hosts' own credentials; never their values",
  security: bearerAuth,
  middleware: [adminsOnly] as const,
  request: { params: projectParams },
  responses: { 200: json(tokenList, "The tokens, the oldest first."), ...refusals },
});

const create = createRoute({
  method: "post",
  path: TOKENS,
  summary: "Make a token; it is shown this once",
  security: bearerAuth,
  middleware: [adminsOnly, limitBody(BODY_BYTES_MAX)] as const,
  request: { params: projectParams, headers: changeHeaders, body: jsonBody(tokenRequest) },
  responses: { 200: json(tokenAnswer, "The token."), ...changeRefusals },
});

const revoke = createRoute({
  method: "delete",
  path: `${TOKENS}/{token}`,
  summary: "Revoke a token by its id: nobody can use it any more",
  security: bearerAuth,
  middleware: [adminsOnly] as const,
  request: { params: tokenParams, headers: changeHeaders },
  responses: { 200: json(tokenRevokeAnswer, "Revoked."), ...changeRefusals, ...notFound("token") },
});

export function tokenRoutes(app: OpenAPIHono<ApiEnv>, control: Control): void {
  app.openapi(list, async (c) => c.json({ tokens: await control.tokens(c.get("caller")) }, 200));

  app.openapi(create, async (c) => {
    const key = c.req.valid("header")["idempotency-key"];
    return c.json(await control.createToken(c.get("caller"), c.req.valid("json"), key), 200);
  });

  app.openapi(revoke, async (c) => {
    const key = c.req.valid("header")["idempotency-key"];
    return c.json(await control.revokeToken(c.get("caller"), c.req.valid("param").token, key), 200);
  });
}
