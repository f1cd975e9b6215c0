import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import type { ApiEnv } from "../auth.ts";
import { errorBody } from "../error-body.ts";
import { RequestError } from "../errors.ts";
import { INSTALL_DOWNLOADS_MAX } from "../limits.ts";
import { json, refusals } from "../schemas.ts";
import { Shares, type WhenSent } from "../shares.ts";

/** What agents are installed from, by the names of its files; null for none of them. It is the same for everyone. */
export type InstallFolder = (file: string) => Promise<{ type: string; open(): InstallBody } | null>;
type InstallBody = string | Uint8Array<ArrayBuffer> | ReadableStream;

const content = z.any().openapi({ type: "string", format: "binary" });

/** Open to everyone, as it holds no secret: whoever installs an agent needs a token to join with. */
const get = createRoute({
  method: "get",
  path: "/install/{file}",
  summary: "What an agent is installed from: `install.sh`, and what it names by SHA-256; open to everyone",
  request: { params: z.object({ file: z.string().max(100) }) },
  responses: {
    200: { description: "The file.", content: { "application/octet-stream": { schema: content } } },
    404: json(errorBody, "There is no such file."),
    429: refusals[429],
  },
});

const GIVES_NONE =
  "This server gives no agent out, since it runs on Workers or from its sources. docs/joining.md says what does instead.";

export function installRoutes(
  app: OpenAPIHono<ApiEnv>,
  folder: InstallFolder | undefined,
  whenSent: WhenSent | undefined,
): void {
  const downloads = new Shares(
    INSTALL_DOWNLOADS_MAX,
    `${INSTALL_DOWNLOADS_MAX} installations are fetching from this server, the most at a time. Try again in a minute.`,
  );
  app.openapi(get, async (c) => {
    if (folder === undefined) throw new RequestError("no_such_path", GIVES_NONE);
    const file = await folder(c.req.valid("param").file);
    if (file === null) {
      throw new RequestError("no_such_path", "There is no such file here; another version of the server may have it.");
    }
    const headers = { "Content-Type": file.type };
    if (c.req.raw.method === "HEAD") return c.body(null, 200, headers);
    const giveBack = downloads.take("");
    whenSent?.(c, giveBack);
    if (whenSent === undefined) giveBack();
    return c.body(file.open(), 200, headers);
  });
}
