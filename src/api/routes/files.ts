import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import type { Control } from "../../control/types.ts";
import { FILE_BYTES_MAX, FILES_PATH, sha256Name } from "../../wire/index.ts";
import type { ApiEnv } from "../auth.ts";
import { limitBody } from "../body-limit.ts";
import { FETCHES_PER_PROJECT_MAX, UPLOADS_PER_PROJECT_MAX } from "../limits.ts";
import { bearerAuth, changeRefusals, projectParams, refusals } from "../schemas.ts";
import { Shares, type WhenSent, withinShare } from "../shares.ts";

const TAR = "application/x-tar";

const archive = z.any().openapi({ type: "string", format: "binary", description: "A tar archive." });

const put = createRoute({
  method: "put",
  path: "/api/projects/{project}/files/{sha256}",
  summary: "Keep a file or folder (a tar archive, named by the SHA-256 of its bytes) that an apply will name",
  security: bearerAuth,
  middleware: [limitBody(FILE_BYTES_MAX)] as const,
  request: {
    params: projectParams.extend({ sha256: sha256Name }),
    body: { required: true, content: { [TAR]: { schema: archive } } },
  },
  responses: { 204: { description: "Kept. What no apply names within a day is dropped." }, ...changeRefusals },
});

const ofHost = createRoute({
  method: "get",
  path: `${FILES_PATH}{sha256}`,
  summary: "A host fetches what travels with its jobs",
  security: bearerAuth,
  request: { params: z.object({ sha256: sha256Name }) },
  responses: { 200: { description: "The archive.", content: { [TAR]: { schema: archive } } }, ...refusals },
});

export function fileRoutes(app: OpenAPIHono<ApiEnv>, control: Control, whenSent: WhenSent | undefined): void {
  const uploads = new Shares(
    UPLOADS_PER_PROJECT_MAX,
    `This project has ${UPLOADS_PER_PROJECT_MAX} uploads under way, the most that one may have. Send one after another.`,
  );
  app.use(put.getRoutingPath(), withinShare(uploads, whenSent));
  const fetches = new Shares(
    FETCHES_PER_PROJECT_MAX,
    `This project's hosts fetch ${FETCHES_PER_PROJECT_MAX} files at this moment, the most that they may. Try again.`,
  );
  app.use(ofHost.getRoutingPath(), withinShare(fetches, whenSent));
  app.openapi(put, async (c) => {
    const { project, sha256 } = c.req.valid("param");
    await control.putFile(project, sha256, new Uint8Array(await c.req.arrayBuffer()));
    return c.body(null, 204);
  });
  app.openapi(ofHost, async (c) => {
    const body = await control.readFile(c.get("caller").project, c.req.valid("param").sha256);
    return c.body(body, 200, { "Content-Type": TAR });
  });
}
