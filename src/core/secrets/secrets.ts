import { usedSecrets } from "../../spec/index.ts";
import type { Answer, Input } from "../input.ts";
import { SECRETS_PER_PROJECT_MAX, SECRETS_PER_SERVICE_MAX } from "../limits.ts";
import { refused } from "../refused.ts";
import { currentRevision, type RevisionSource } from "../services/revision.ts";
import type { ServiceEntity } from "../state.ts";
import type { StepContext } from "../step.ts";

/** Takes note of a secret's value, which is sealed in the same commit. What runs keeps the value that it has. */
export function setSecret({ draft, now }: StepContext, input: Extract<Input, { kind: "secret_set" }>): Answer {
  const { name, version, actor } = input;
  const before = draft.get("secret", name);
  if (!before && draft.count("secret") >= SECRETS_PER_PROJECT_MAX) {
    return refused("too_many", `a project has at most ${SECRETS_PER_PROJECT_MAX} secrets; delete one first`);
  }
  draft.put({ kind: "secret", id: name, version, setAt: now, setBy: actor });
  const what = !before ? "was set" : before.version === version ? "was set to the same value" : "has another value";
  draft.event({ type: "secret.set", message: `secret ${name} ${what}` });
  return { kind: "done" };
}

export function deleteSecret({ draft }: StepContext, name: string): Answer {
  if (!draft.get("secret", name)) return refused("not_found", `there is no secret ${name}: see headrace secret list`);
  const users = draft
    .all("service")
    .filter((service) => service.status !== "stopped" && usesSecret(draft, service, name))
    .map(({ id }) => id);
  if (users.length > 0) {
    return refused(
      "conflict",
      `secret ${name} is used by ${users.join(", ")}; stop what uses it, or apply it without the secret, then delete it`,
    );
  }
  draft.delete("secret", name);
  draft.event({ type: "secret.deleted", message: `secret ${name} was deleted` });
  return { kind: "done" };
}

/** Whether the revision that a service has now refers to the secret. */
export function usesSecret(source: RevisionSource, service: ServiceEntity, secret: string): boolean {
  return Object.hasOwn(currentRevision(source, service).secrets, secret);
}

/**
 * Why a spec cannot have its secrets as they were read for it; null when it can. Another value than the project's would
 * be one that somebody has replaced, and knows to be replaced.
 */
export function refuseSecrets({ draft }: StepContext, input: Extract<Input, { kind: "apply" }>): Answer | null {
  const used = usedSecrets(input.spec);
  if (used.size > SECRETS_PER_SERVICE_MAX) {
    const message = `the service uses ${used.size} secrets, and one may use ${SECRETS_PER_SERVICE_MAX}; put what belongs together into one`;
    return refused("invalid_config", message);
  }
  for (const [name, places] of used) {
    const secret = draft.get("secret", name);
    if (!secret) {
      const message = `${places.join(", ")}: the project has no secret ${name}; set it first (headrace secret set ${name})`;
      return refused("invalid_config", message);
    }
    if (input.secrets[name] !== secret.version) {
      return refused("conflict", `secret ${name} was set while this was being applied; apply again`);
    }
  }
  return null;
}
