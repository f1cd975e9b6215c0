import { makeToken, tokenHash } from "../../src/control/tokens/tokens.ts";
import type { Credential, CredentialKind, Store } from "../../src/store/types.ts";

/** Stores a credential as the server itself would. @param over what is not as usual @returns its token */
export async function seedToken(
  store: Pick<Store, "putCredential">,
  project: string,
  kind: CredentialKind,
  over: Partial<Pick<Credential, "id" | "subject" | "expiresAt" | "usedAt">> = {},
): Promise<string> {
  const token = makeToken(kind);
  const hash = await tokenHash(token);
  const name = `${kind} of ${project}`;
  const fixed = { id: crypto.randomUUID(), project, kind, name, hash, createdAt: Date.now() };
  await store.putCredential({ ...fixed, subject: null, expiresAt: null, usedAt: null, madeBy: null, ...over });
  return token;
}
