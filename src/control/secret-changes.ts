import { requireAdmin, whenDone } from "./answers.ts";
import type { Change, Once } from "./once.ts";
import { prepareSecret } from "./prepare-apply.ts";
import type { Project } from "./project.ts";
import type { Sealer } from "./seal.ts";
import type { Caller } from "./types.ts";
import type { SecretChangeAnswer } from "./views.ts";

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

export function deleteSecret(once: Once, caller: Caller, name: string, key: string): Promise<SecretChangeAnswer> {
  const input = { kind: "secret_deleted" as const, name };
  return changeSecret(once, caller, "delete secret", name, key, input, async () => ({ input, secrets: [] }));
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
