import { type Credential, REVOKED, type Store } from "../../store/types.ts";
import { requireAdmin } from "../answers.ts";
import type { Clock } from "../clock.ts";
import type { Once } from "../once.ts";
import { type Caller, ControlError } from "../types.ts";
import type { TokenRevokeAnswer, TokenView } from "../views/views.ts";
import { hasEnded } from "./callers.ts";

/** What people made to be handed on; a host's own credential comes and goes with the host. */
type Token = Credential & { kind: Exclude<Credential["kind"], "host"> };

/** @throws ControlError `forbidden` to anybody but admins */
export async function listTokens(
  caller: Caller,
  { store, clock }: { store: Store; clock: Clock },
): Promise<TokenView[]> {
  requireAdmin(caller, "list tokens");
  const tokens = (await store.credentials(caller.project)).filter(isToken);
  tokens.sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  const now = clock.now();
  return tokens.map((token) => {
    const { id, name, kind, subject: fleet, createdAt, madeBy, usedAt } = token;
    const state = stateOf(token, now);
    const expiresAt = state === "revoked" ? null : token.expiresAt;
    return { id, name, kind, fleet, createdAt, madeBy, expiresAt, usedAt, state, own: id === caller.credentialId };
  });
}

/**
 * Ends a token at once. Its row stays, as rows of expired ones do, so that a repetition of the request that made it
 * does not make the same token again.
 * @throws ControlError `forbidden` to anybody but admins, `not_found`, `conflict` for the last admin token that can be
 * used, `idempotency_mismatch`
 */
export async function revokeToken(
  once: Once,
  caller: Caller,
  id: string,
  key: string,
  { store }: { store: Store },
): Promise<TokenRevokeAnswer> {
  requireAdmin(caller, "revoke tokens");
  return once(caller, "revoke token", key, { token: id }, async () => {
    const { name, kind, subject: fleet } = tokenOf(await store.credentials(caller.project), id);
    const answer = { token: id, name, kind, own: id === caller.credentialId };
    return {
      input: { kind: "token_revoked", token: { id, name, kind, fleet }, actor: caller.name },
      revokedToken: id,
      toAnswer: () => answer,
    };
  });
}

/** @throws ControlError `not_found` */
function tokenOf(credentials: Credential[], id: string): Token {
  const found = credentials.find((each) => each.id === id);
  if (found && isToken(found)) return found;
  throw new ControlError(
    "not_found",
    found
      ? `${id} is a host, whose own credential goes with it: see headrace host remove`
      : `there is no token ${id}: see headrace token list`,
  );
}

function stateOf(token: Token, now: number): TokenView["state"] {
  if (token.expiresAt === REVOKED) return "revoked";
  if (token.usedAt !== null) return "used";
  return hasEnded(token, now) ? "expired" : "usable";
}

function isToken(credential: Credential): credential is Token {
  return credential.kind !== "host";
}
