import type { Credential, Store } from "../../store/types.ts";
import { type Digest, sha256Hex } from "../digest.ts";
import type { Caller, Control } from "../types.ts";

/** Who holds this bearer token; null when it is unknown, has expired or was revoked. */
export async function callerOf(
  token: string,
  store: Pick<Store, "credential">,
  now: number,
  digest: Digest = sha256Hex,
): Promise<Caller | null> {
  const credential = await store.credential(await digest(token));
  if (!credential || hasEnded(credential, now)) return null;
  const { id, project, kind, name, subject, usedAt } = credential;
  const used = kind === "join" && usedAt !== null ? { used: true as const } : {};
  return { credentialId: id, project, kind, name, subject, ...used };
}

/** Whether nobody can use it any more, since it has expired or was revoked. */
export function hasEnded({ expiresAt }: Pick<Credential, "expiresAt">, now: number): boolean {
  return expiresAt !== null && expiresAt <= now;
}

/** The host that dials with its own credential; null where it is anybody else's, or none. */
export async function hostCaller(
  control: Pick<Control, "authenticate">,
  authorization: string | null | undefined,
): Promise<(Caller & { subject: string }) | null> {
  const token = /^Bearer (\S+)$/i.exec(authorization ?? "")?.[1];
  const caller = token ? await control.authenticate(token) : null;
  return caller?.kind === "host" && caller.subject !== null ? { ...caller, subject: caller.subject } : null;
}

/** Whether someone may call the services of a project. */
export function mayCall(caller: Caller | null, project: string): boolean {
  return caller !== null && caller.project === project && (caller.kind === "admin" || caller.kind === "member");
}
