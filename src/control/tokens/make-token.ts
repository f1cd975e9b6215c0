import type { Credential, Store } from "../../store/types.ts";
import { requireAdmin, whenDone } from "../answers.ts";
import type { Clock } from "../clock.ts";
import { sha256Hex } from "../digest.ts";
import { ANSWERS_KEPT_MS } from "../housekeeping.ts";
import type { Once } from "../once.ts";
import type { Sealer } from "../seal.ts";
import { type Caller, ControlError } from "../types.ts";
import type { TokenAnswer, TokenRequest } from "../views/views.ts";
import { hasEnded } from "./callers.ts";
import { makeTokenRoom } from "./token-room.ts";
import { tokenHash, tokenOf } from "./tokens.ts";

/** How long a join token can be used when nothing else was asked for, in seconds. */
const JOIN_TOKEN_LIFETIME_S = 3_600;

/**
 * Makes a token; a repeated request gets the first one's.
 * @throws ControlError `forbidden` to anybody but admins, `idempotency_mismatch`, `conflict` when it cannot be shown again
 */
export async function makeToken(
  once: Once,
  caller: Caller,
  request: TokenRequest,
  key: string,
  { store, seal, clock }: { store: Store; seal: Sealer; clock: Clock },
): Promise<TokenAnswer> {
  const { project } = caller;
  requireAdmin(caller, "make tokens");
  const id = (await sha256Hex(`token\n${project}\n${key}`)).slice(0, 24);
  // Derived, so that a request whose answer was lost gets the same token again and nothing of it need be kept.
  const tokens = (await seal.derive(project, `token/${id}`)).map((bytes) => tokenOf(request.kind, bytes));
  // Before it is asked for an earlier answer: what is known here and has none was made long ago.
  const known = await store.credentials(project);
  await once(caller, "make token", key, request, async () => {
    const now = clock.now();
    if (known.some((each) => each.id === id)) throw notShownAgain();
    await makeTokenRoom(store, project, known, now);
    const credential = {
      ...credentialOf(request, caller.name, now),
      id,
      project,
      hash: await tokenHash(tokens[0] as string),
    };
    return {
      input: {
        kind: "token_made",
        token: { id, name: request.name, kind: request.kind, fleet: credential.subject },
        actor: caller.name,
      },
      credential,
      toAnswer: whenDone({ made: id }),
    };
  });
  return { id, ...(await shown(store, tokens, clock.now())) };
}

function credentialOf(request: TokenRequest, madeBy: string, now: number): Omit<Credential, "id" | "project" | "hash"> {
  const { kind, name, fleet } = request;
  const lifetimeS = request.expiresInS ?? (kind === "join" ? JOIN_TOKEN_LIFETIME_S : null);
  const expiresAt = lifetimeS === null ? null : now + lifetimeS * 1_000;
  return { kind, name, subject: kind === "join" ? fleet : null, createdAt: now, expiresAt, usedAt: null, madeBy };
}

/** The one of these tokens that was made. @throws ControlError when it has ended since, or was made long ago */
async function shown(
  store: Pick<Store, "credential">,
  tokens: string[],
  now: number,
): Promise<Pick<TokenAnswer, "token" | "expiresAt">> {
  for (const token of tokens) {
    const made = await store.credential(await tokenHash(token));
    if (!made) continue;
    if (hasEnded(made, now)) {
      const message = "this request made a token before, which has expired or was revoked; make another";
      throw new ControlError("conflict", message);
    }
    if (now - made.createdAt < ANSWERS_KEPT_MS) return { token, expiresAt: made.expiresAt };
  }
  throw notShownAgain();
}

function notShownAgain(): ControlError {
  const message = "this request made a token before, which cannot be shown any more; make another";
  return new ControlError("conflict", message);
}
