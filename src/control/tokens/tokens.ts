import type { CredentialKind } from "../../store/types.ts";
import { toBase64Url } from "../bytes.ts";
import { type Digest, sha256Hex } from "../digest.ts";

/** A prefix tells people, log filters and secret scanners what a token is, and nothing else reads it. */
const PREFIXES: Record<CredentialKind, string> = { admin: "hra_", member: "hrm_", join: "hrj_", host: "hrh_" };

/** 256 bits: beyond guessing, so a plain hash of a token needs neither salt nor stretching. */
const TOKEN_BYTES = 32;

/** A new bearer token, e.g. `hra_` and 43 characters. Shown once; what is kept is its `tokenHash`. */
export function makeToken(kind: CredentialKind): string {
  return tokenOf(kind, crypto.getRandomValues(new Uint8Array(TOKEN_BYTES)));
}

/** A bearer token of these bytes, which are beyond guessing. */
export function tokenOf(kind: CredentialKind, bytes: Uint8Array): string {
  return PREFIXES[kind] + toBase64Url(bytes);
}

/** Hex SHA-256 of a token: how the database knows it. */
export function tokenHash(token: string, digest: Digest = sha256Hex): Promise<string> {
  return digest(token);
}
