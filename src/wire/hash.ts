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
  return JSON.stringify(inOrder(value));
}

/** The value with the keys of every object in it in order. A replacer that sorts takes half as long again. */
function inOrder(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(inOrder);
  const fields = value as Record<string, unknown>;
  return Object.fromEntries(
    Object.keys(fields)
      .sort()
      .map((key) => [key, inOrder(fields[key])]),
  );
}
