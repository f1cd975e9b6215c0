import type { Input } from "../core/input.ts";
import type { ProjectState } from "../core/project-state.ts";
import { secretName } from "../core/secrets/sealed-names.ts";
import type { SealedSecret } from "../store/types.ts";
import { requireAdmin, whenDone } from "./answers.ts";
import type { Change, Once } from "./once.ts";
import type { Project } from "./project.ts";
import type { Sealer } from "./seal.ts";
import type { Caller } from "./types.ts";
import type { SecretChangeAnswer } from "./views/views.ts";

/** Gives a secret a value. @throws ControlError `forbidden` to anybody but admins */
export function setSecret(
  once: Once,
  { project, seal }: { project: Project; seal: Sealer },
  caller: Caller,
  { name, value }: { name: string; value: string },
  key: string,
): Promise<SecretChangeAnswer> {
  return changeSecret(once, caller, "set secret", name, key, { name, value }, async () => {
    return prepareSecret(await project.controller.state(), caller.name, name, value, seal);
  });
}

/** @throws ControlError `forbidden` to anybody but admins; `conflict` while a running service names it */
export function deleteSecret(once: Once, caller: Caller, name: string, key: string): Promise<SecretChangeAnswer> {
  const input = { kind: "secret_deleted" as const, name };
  return changeSecret(once, caller, "delete secret", name, key, input, async () => ({ input }));
}

async function changeSecret(
  once: Once,
  caller: Caller,
  cause: string,
  secret: string,
  key: string,
  request: unknown,
  prepare: () => Promise<Pick<Change<SecretChangeAnswer>, "input" | "secrets">>,
): Promise<SecretChangeAnswer> {
  requireAdmin(caller, "set and delete secrets");
  return once(caller, cause, key, request, async () => ({ ...(await prepare()), toAnswer: whenDone({ secret }) }));
}

/**
 * A secret as it is set. A value that it has already keeps its version, also when the key has been rotated since, and is
 * sealed anew under the current key.
 */
async function prepareSecret(
  state: ProjectState,
  actor: string,
  name: string,
  value: string,
  seal: Sealer,
): Promise<{ input: Extract<Input, { kind: "secret_set" }>; secrets: SealedSecret[] }> {
  const before = state.tables.secret.byId.get(name)?.version;
  const sealed = await seal.seal(state.project, secretName(name), value);
  const isSame = before !== undefined && (await seal.matches(state.project, before, value));
  const version = isSame ? before : sealed.version;
  return { input: { kind: "secret_set", name, version, actor }, secrets: [{ ...sealed, version }] };
}
