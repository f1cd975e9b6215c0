import type { Store } from "../store/types.ts";
import { tokenHash } from "./tokens.ts";
import type { Caller } from "./types.ts";

/** Who holds this bearer token; null when it is unknown or has expired. */
export async function callerOf(token: string, store: Pick<Store, "credential">, now: number): Promise<Caller | null> {
  const credential = await store.credential(await tokenHash(token));
  if (!credential || (credential.expiresAt !== null && credential.expiresAt <= now)) return null;
  const { id, project, kind, name, subject } = credential;
  return { credentialId: id, project, kind, name, subject };
}

/** Whether someone may call the services of a project. */
export function mayCall(caller: Caller | null, project: string): boolean {
  return caller !== null && caller.project === project && (caller.kind === "admin" || caller.kind === "member");
}
