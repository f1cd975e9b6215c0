import type { DesiredJob } from "./desired.ts";

/**
 * Names the content of a desired state: both ends of a sync compare it instead of sending the state again.
 * @param digest SHA-256 of a text in hex, by whatever means its caller has
 * @returns SHA-256 in hex of the jobs as canonical JSON (keys sorted, no white space)
 */
export function desiredHash(jobs: DesiredJob[], digest: (text: string) => Promise<string>): Promise<string> {
  return digest(canonicalJson(jobs));
}

/** Equal values give equal text, in whatever order their keys were put in. Keys without a value count as absent. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  );
}
