import type { Credential, Store } from "../store/types.ts";
import { anotherRequest, requireAdmin } from "./answers.ts";
import { hasEnded } from "./callers.ts";
import type { Clock } from "./clock.ts";
import { sha256Hex } from "./digest.ts";
import { ANSWERS_KEPT_MS } from "./housekeeping.ts";
import type { Sealer } from "./seal.ts";
import { makeTokenRoom } from "./token-room.ts";
import { tokenHash, tokenOf } from "./tokens.ts";
import { type Caller, ControlError } from "./types.ts";
import type { TokenAnswer, TokenRequest } from "./views.ts";

/** How long a join token can be used when nothing else was asked for, in seconds. */
const JOIN_TOKEN_LIFETIME_S = 3_600;

/**
 * Makes a token; a repeated request gets the first one's.
 * @throws ControlError `forbidden` to anybody but admins, `idempotency_mismatch`, `conflict` when it cannot be shown again
 */
export async function makeToken(
  caller: Caller,
  request: TokenRequest,
  key: string,
  { store, seal, clock }: { store: Store; seal: Sealer; clock: Clock },
): Promise<TokenAnswer> {
  const { project } = caller;
  requireAdmin(caller, "make tokens");
  const now = clock.now();
  const lifetimeS = request.expiresInS ?? (request.kind === "join" ? JOIN_TOKEN_LIFETIME_S : null);
  const credential = {
    id: (await sha256Hex(`token\n${project}\n${key}`)).slice(0, 24),
    project,
    kind: request.kind,
    name: request.name,
    subject: request.kind === "join" ? request.fleet : null,
    createdAt: now,
    expiresAt: lifetimeS === null ? null : now + lifetimeS * 1_000,
    usedAt: null,
  };
  const { id, kind, expiresAt } = credential;
  // Derived, so that a request whose answer was lost gets the same token again and nothing of it need be kept.
  const tokens = (await seal.derive(project, `token/${id}`)).map((bytes) => tokenOf(kind, bytes));
  const known = await store.credentials(project);
  const before = known.find((each) => each.id === id);
  if (before) return { id, token: await shownAgain(before, credential, tokens), expiresAt: before.expiresAt };
  await makeTokenRoom(store, project, known, now);
  const token = tokens[0] as string;
  await store.putCredential({ ...credential, hash: await tokenHash(token) });
  return { id, token, expiresAt };
}

/** The token that an earlier request under the same key made. @throws ControlError when it was another request, or long ago */
async function shownAgain(made: Credential, asked: Omit<Credential, "hash">, tokens: string[]): Promise<string> {
  const lifetime = ({ createdAt, expiresAt }: Omit<Credential, "hash">) => expiresAt && expiresAt - createdAt;
  const isSame = made.kind === asked.kind && made.name === asked.name && made.subject === asked.subject;
  if (isSame && hasEnded(made, asked.createdAt)) {
    const message = "this request made a token before, which has expired or was revoked; make another";
    throw new ControlError("conflict", message);
  }
  if (!isSame || lifetime(made) !== lifetime(asked)) throw anotherRequest();
  if (asked.createdAt - made.createdAt < ANSWERS_KEPT_MS) {
    for (const token of tokens) if ((await tokenHash(token)) === made.hash) return token;
  }
  throw new ControlError("conflict", "this request made a token before, which cannot be shown any more; make another");
}
