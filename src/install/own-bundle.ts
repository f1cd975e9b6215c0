/** The folder of the bundle that this runs from (see scripts/make-bundle.ts); from the sources there is none. */
declare const HEADRACE_BUNDLE: string;

/** @returns where this program's bundle lies, with the agent's programs in it; null when it runs from its sources */
export function ownBundle(): string | null {
  return typeof HEADRACE_BUNDLE === "string" ? HEADRACE_BUNDLE : null;
}
