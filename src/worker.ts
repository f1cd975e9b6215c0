import { Hono } from "hono";
import { createApp } from "./api/app.ts";
import type { ReportError } from "./api/errors.ts";
import { VERSION } from "./api/version.ts";
import { EdgeControl } from "./edge/edge-control.ts";
import { edgeLog } from "./edge/edge-log.ts";
import { type Env, storeOf } from "./edge/env.ts";
import { openLink } from "./edge/open-link.ts";
import { sweep } from "./edge/sweep.ts";
import { RequestPath } from "./proxy/request-path.ts";
import { proxyRoutes } from "./proxy/routes.ts";
import { LINK_PATH } from "./wire/index.ts";

export { LinkObject } from "./edge/link-object.ts";
export { ProjectObject } from "./edge/project-object.ts";

/** What an isolate keeps from one request to the next: only what belongs to no request. */
let made: { env: Env; fetch: (request: Request) => Response | Promise<Response> } | null = null;

/** The control plane on Cloudflare Workers. */
export default {
  fetch(request: Request, env: Env): Response | Promise<Response> {
    made ??= { env, fetch: serve(env) };
    return made.fetch(request);
  },

  scheduled(_event: unknown, env: Env): Promise<void> {
    return sweep(env, storeOf(env), Date.now(), edgeLog);
  },
};

function serve(env: Env) {
  const control = new EdgeControl(env, (project) => path.forgetCallers(project));
  const path: RequestPath = new RequestPath(control, { shareQuestions: false });
  const report: ReportError = (requestId, error) =>
    edgeLog("error", "a request failed", { requestId, error: describe(error) });
  const app = createApp(control, {
    version: VERSION,
    proxy: new Hono().route(
      "/proxy",
      proxyRoutes(path, (c) => c.req.header("cf-connecting-ip") ?? null),
    ),
    report,
  });
  return (request: Request) =>
    new URL(request.url).pathname === LINK_PATH ? openLink(request, env, control, report) : app.fetch(request);
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
