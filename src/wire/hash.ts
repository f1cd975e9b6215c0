import type { DesiredJob } from "./desired.ts";

/**
 * Names the content of a desired state: both ends of a sync compare it instead of sending the state again.
 * @returns SHA-256 in hex of the jobs as canonical JSON (keys sorted, no white space)
 */
export async function desiredHash(jobs: DesiredJob[]): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(canonicalJson(jobs)));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Equal values give equal text, in whatever order their keys were put in. Keys without a value count as absent. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  );
}
