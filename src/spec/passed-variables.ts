import type { ServiceSpec } from "./types.ts";

/** The variables whose values come from the environment of whoever applies, in the order of the file. */
export function passedVariables(spec: ServiceSpec): string[] {
  const passed = spec.groups.flatMap(({ env }) => Object.keys(env).filter((name) => env[name] === null));
  return [...new Set(passed)];
}
