import type { ErrorBody } from "../api/error-body.ts";
import { type ApiErrorCode, ERROR_STATUS, errorForPeople, type ReportError } from "../api/errors.ts";
import { hostCaller } from "../control/tokens/callers.ts";
import type { Control } from "../control/types.ts";
import { type Env, linkStub } from "./env.ts";
import { HOST_HEADER, OPEN_PATH } from "./link-object.ts";

/** Opens a host's link in the host's own object, with the host's own credential. */
export async function openLink(
  request: Request,
  env: Env,
  control: Pick<Control, "authenticate">,
  report: ReportError,
): Promise<Response> {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
    return refuse("invalid_request", "This path opens a host's link: a WebSocket.");
  }
  try {
    const caller = await hostCaller(control, request.headers.get("authorization"));
    if (!caller) return refuse("unauthorized", "The link needs the credential of a host.");
    const name = { project: caller.project, host: caller.subject };
    const headers = { upgrade: "websocket", [HOST_HEADER]: JSON.stringify(name) };
    return await linkStub(env, name).fetch(new Request(`https://link${OPEN_PATH}`, { headers }));
  } catch (error) {
    const { code, message } = errorForPeople(error, report);
    return refuse(code, message);
  }
}

function refuse(code: ApiErrorCode, message: string): Response {
  return Response.json({ error: { code, message } } satisfies ErrorBody, { status: ERROR_STATUS[code] });
}
