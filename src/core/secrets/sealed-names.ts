import type { RevisionEntity } from "../state.ts";

/**
 * Names under which values are sealed in the store. A value is bound to its name, so that each revision has copies of
 * its own: what a job was started with stays what it is started with again.
 */

/** Of a passed-through value: revisions with the same value share it. */
export function sealedEnvName(service: string, variable: string, version: string): string {
  return `env/${service}/${variable}/${version}`;
}

/** Of a secret as its project has it now. */
export function secretName(secret: string): string {
  return `secret/${secret}`;
}

/** Of a secret as a service's revision has it: revisions with the same value share it. */
export function pinnedSecretName(service: string, secret: string, version: string): string {
  return `pinned/${service}/${secret}/${version}`;
}

/** All that is sealed for a revision. */
export function sealedNamesOf({
  service,
  sealed,
  secrets,
}: Pick<RevisionEntity, "service" | "sealed" | "secrets">): string[] {
  return [
    ...Object.entries(sealed).map(([variable, version]) => sealedEnvName(service, variable, version)),
    ...Object.entries(secrets).map(([secret, version]) => pinnedSecretName(service, secret, version)),
  ];
}
