import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import type { Control } from "../../control/types.ts";
import { joinAnswer, joinRequest } from "../../wire/index.ts";
import type { ApiEnv } from "../auth.ts";
import { limitBody } from "../body-limit.ts";
import { JOIN_BODY_BYTES_MAX } from "../limits.ts";
import { bearerAuth, changeRefusals, json, jsonBody } from "../schemas.ts";

const join = createRoute({
  method: "post",
  path: "/agent/join",
  summary: "A host joins its fleet with a one-time join token",
  security: bearerAuth,
  middleware: [limitBody(JOIN_BODY_BYTES_MAX)] as const,
  request: { body: jsonBody(joinRequest) },
  responses: {
    200: json(joinAnswer, "The host has joined, and its credential opens its link from now on."),
    ...changeRefusals,
  },
});

export function agentRoutes(app: OpenAPIHono<ApiEnv>, control: Control): void {
  app.openapi(join, async (c) => c.json(await control.join(c.get("caller"), c.req.valid("json")), 200));
}
