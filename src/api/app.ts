import { OpenAPIHono } from "@hono/zod-openapi";
import type { Hono, MiddlewareHandler } from "hono";
import type { Control } from "../control/types.ts";
import { type ApiEnv, allow, ownProjectOnly } from "./auth.ts";
import { answerError, invalidRequest, type ReportError, refuse } from "./errors.ts";
import { ANSWER_WITHIN_MS, HEARTBEAT_MS, REQUESTS_PER_PROJECT_MAX, STREAMS_PER_PROJECT_MAX } from "./limits.ts";
import type { ReportPace, ReportTurns } from "./pace.ts";
import { agentRoutes, JOIN_PATH, SYNC_PATH } from "./routes/agent.ts";
import { fileRoutes } from "./routes/files.ts";
import { fleetRoutes } from "./routes/fleets.ts";
import { hostRoutes } from "./routes/hosts.ts";
import { type InstallFolder, installRoutes } from "./routes/install.ts";
import { journalRoutes } from "./routes/journal.ts";
import { secretRoutes } from "./routes/secrets.ts";
import { serviceRoutes } from "./routes/services.ts";
import { healthRoute, meRoute } from "./routes/system.ts";
import { tokenRoutes } from "./routes/tokens.ts";
import { Shares, type WhenSent, withinShare } from "./shares.ts";
import { withinTime } from "./within-time.ts";

export interface AppOptions {
  /** Shown in the OpenAPI document. */
  version: string;
  /** Told of errors that have no answer of their own. Never handed a token or a body. */
  report: ReportError;
  /** The request path; its routes carry their whole paths (`/proxy/...`), their own authentication and errors. */
  proxy?: Hono;
  /** What an agent is installed from; absent where the platform has no files. */
  install?: InstallFolder | undefined;
  heartbeatMs?: number;
  /** How long the control plane may take to answer, the reading of a request's body apart. */
  answerWithinMs?: number;
  /** Where the platform can tell: a request counts until its answer has been sent, and not only made. */
  whenSent?: WhenSent;
  /** Shared with the links: how fast a project's hosts may report. */
  pace?: ReportPace;
  /** Shared with the links: the turns in which reports are read. */
  turns?: ReportTurns;
}

export const OPENAPI_PATH = "/api/openapi.json";

/**
 * The HTTP API, web-standard only. Everything under `/api` and `/agent` needs a token but for the document and what is
 * registered above the middleware: a new route is closed unless its author opens it on purpose.
 */
export function createApp(patient: Control, options: AppOptions): OpenAPIHono<ApiEnv> {
  const control = withinTime(patient, options.answerWithinMs ?? ANSWER_WITHIN_MS);
  const app = new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (!result.success) throw invalidRequest(result.target, result.error);
    },
  });
  app.onError(answerError(options.report));
  app.notFound((c) => refuse(c, "no_such_path", `There is nothing at this path; ${OPENAPI_PATH} lists what there is.`));

  for (const path of ["/api/*", "/agent/*", "/health", "/install/*"]) app.use(path, protectiveHeaders);
  healthRoute(app);
  installRoutes(app, options.install, options.whenSent);
  describe(app, options.version);

  app.use("/api/*", allow(control, ["admin", "member"]));
  app.use("/api/projects/:project/*", ownProjectOnly);
  const [joining, joined] = [allow(control, ["join"]), allow(control, ["host"])];
  app.use("/agent/*", (c, next) => (c.req.path === JOIN_PATH ? joining : joined)(c, next));
  const requests = new Shares(
    REQUESTS_PER_PROJECT_MAX,
    `This project has ${REQUESTS_PER_PROJECT_MAX} requests under way, the most that one may have. Await some answers.`,
  );
  // Syncs have a share of their own: hosts that wait for their turn are not to keep people from asking.
  const limited = withinShare(requests, options.whenSent);
  app.use("/api/*", limited);
  app.use("/agent/*", (c, next) => (c.req.path === SYNC_PATH ? next() : limited(c, next)));

  const streams = new Shares(
    STREAMS_PER_PROJECT_MAX,
    `This project has ${STREAMS_PER_PROJECT_MAX} streams open, the most that one may have. Close some that follow logs or commits.`,
  );
  meRoute(app);
  serviceRoutes(app, control, streams);
  hostRoutes(app, control);
  fleetRoutes(app, control);
  secretRoutes(app, control);
  journalRoutes(app, control, { streams, heartbeatMs: options.heartbeatMs ?? HEARTBEAT_MS, report: options.report });
  tokenRoutes(app, control);
  fileRoutes(app, control, options.whenSent);
  agentRoutes(app, control, { pace: options.pace, turns: options.turns, whenSent: options.whenSent });
  if (options.proxy) app.route("/", options.proxy);
  return app;
}

/** Answers can hold tokens and are nobody's page: not kept, not sniffed, not framed. */
const protectiveHeaders: MiddlewareHandler = async (c, next) => {
  await next();
  c.header("Cache-Control", "no-store");
  c.header("X-Content-Type-Options", "nosniff");
  c.header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  c.header("Referrer-Policy", "no-referrer");
};

function describe(app: OpenAPIHono<ApiEnv>, version: string): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: "A person's or a pipeline's token; for /agent/join a join token, for /agent/sync a host's credential.",
  });
  // Open to everyone and the same for everyone, so it is made once: making it takes milliseconds.
  let document: object | null = null;
  app.get(OPENAPI_PATH, (c) => {
    document ??= app.getOpenAPI31Document({
      openapi: "3.1.0",
      info: { title: "Headrace", version, description: "Control plane for LLM inference. Errors: docs/errors.md." },
    });
    return c.json(document);
  });
}
