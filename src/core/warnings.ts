import { hasRouter, revisionGroups } from "./revision.ts";
import type { RevisionEntity } from "./state.ts";

/** What is worth saying to whoever applies a spec that is right as it stands; one sentence each. */
export function planWarnings(revision: RevisionEntity): string[] {
  const warnings: string[] = [];
  if (!revision.spec.stripPrefix && hasRouter(revision)) {
    warnings.push(
      "`strip_prefix: false` makes the router see `/proxy/services/...` in every path, which it does not serve",
    );
  }
  for (const [name, { resolved }] of revisionGroups(revision)) {
    const warn = (message: string) => warnings.push(`group ${name}: ${message}`);
    for (const message of resolved.warnings) warn(message);
  }
  return warnings;
}
