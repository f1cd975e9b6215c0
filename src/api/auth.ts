import type { MiddlewareHandler } from "hono";
import type { Caller, Control } from "../control/types.ts";
import type { CredentialKind } from "../store/types.ts";
import { RequestError } from "./errors.ts";

/** What the middleware below leaves for the handlers. */
export interface ApiEnv {
  Variables: {
    caller: Caller;
    /** How long a report waited for its turn; unset where reports take none. */
    waitedMs?: number;
  };
}

/** Longer ones are not ours, and hashing them would be work that anyone can ask for. */
const TOKEN_CHARS_MAX = 512;

/** Lets a request pass whose bearer token is known and of one of these kinds, and leaves its holder as `caller`. */
export function allow(control: Control, kinds: readonly CredentialKind[]): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const token = bearer(c.req.header("authorization"));
    const caller = token === null ? null : await control.authenticate(token);
    if (caller === null) {
      throw new RequestError(
        "unauthorized",
        token === null
          ? "Send a token as `Authorization: Bearer <token>`."
          : "This token is unknown, has expired or was revoked. Ask an admin of the project for a new one.",
      );
    }
    if (!kinds.includes(caller.kind)) throw new RequestError("forbidden", wrongKind(caller.kind, kinds));
    c.set("caller", caller);
    await next();
  };
}

/** Refuses a path that names another project than the caller's own, without saying whether that one exists. */
export const ownProjectOnly: MiddlewareHandler<ApiEnv, "/:project"> = async (c, next) => {
  if (c.req.param("project") !== c.get("caller").project) {
    throw new RequestError("forbidden", "This token gives no access to the project in the path.");
  }
  await next();
};

/** Refuses whoever passed `allow` as a member. */
export const adminsOnly: MiddlewareHandler<ApiEnv> = async (c, next) => {
  if (c.get("caller").kind !== "admin") {
    throw new RequestError("forbidden", "Only an admin of the project may do this. Use an admin's token.");
  }
  await next();
};

/** @returns the token of an `Authorization: Bearer` header, null when there is none that could be one */
function bearer(header: string | undefined): string | null {
  const token = header?.match(/^bearer +([\x21-\x7e]+) *$/i)?.[1];
  return token !== undefined && token.length <= TOKEN_CHARS_MAX ? token : null;
}

function wrongKind(kind: CredentialKind, allowed: readonly CredentialKind[]): string {
  if (allowed.includes("join")) {
    return "A host joins with a join token (`headrace host join`), this is a token of another kind.";
  }
  if (allowed.includes("host")) return "Only a host's own credential syncs; this is a token of another kind.";
  return kind === "host"
    ? "This is a host's own credential: only its agent uses it. Use a person's token."
    : "A join token only lets a host join. Use a person's token.";
}
