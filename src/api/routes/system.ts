import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { meView } from "../answers.ts";
import type { ApiEnv } from "../auth.ts";
import { bearerAuth, json, refusals } from "../schemas.ts";

const health = createRoute({
  method: "get",
  path: "/health",
  summary: "Whether the server answers; open to everyone",
  responses: { 200: json(z.object({ ok: z.literal(true) }), "It does.") },
});

const me = createRoute({
  method: "get",
  path: "/api/me",
  summary: "Who am I",
  security: bearerAuth,
  responses: { 200: json(meView, "The holder of the token."), ...refusals },
});

export function healthRoute(app: OpenAPIHono<ApiEnv>): void {
  app.openapi(health, (c) => c.json({ ok: true as const }, 200));
}

export function meRoute(app: OpenAPIHono<ApiEnv>): void {
  app.openapi(me, (c) => c.json(meView.parse(c.get("caller")), 200));
}
