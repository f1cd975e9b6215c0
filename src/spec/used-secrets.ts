import { referencesOf } from "./grammar/interpolation.ts";
import type { ServiceSpec } from "./types.ts";

/**
 * The secrets of the project that a service refers to, each with the fields that name it (`env.HF_TOKEN`,
 * `registry_auth.password`), in the order of the file.
 */
export function usedSecrets(spec: ServiceSpec): Map<string, string[]> {
  const used = new Map<string, Set<string>>();
  const look = (place: string, text: string) => {
    for (const name of secretsIn(text)) {
      const places = used.get(name);
      if (places) places.add(place);
      else used.set(name, new Set([place]));
    }
  };
  for (const { env } of spec.groups) {
    for (const [name, value] of Object.entries(env)) if (value !== null) look(`env.${name}`, value);
  }
  if (spec.registryAuth !== null) {
    look("registry_auth.username", spec.registryAuth.username);
    look("registry_auth.password", spec.registryAuth.password);
  }
  return new Map([...used].map(([secret, places]) => [secret, [...places]]));
}

/** The secrets that a text refers to. */
export function secretsIn(text: string): string[] {
  return referencesOf(text).flatMap((reference) =>
    reference.kind === "name" && reference.namespace === "secrets" ? [reference.key] : [],
  );
}
