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
  for (const [name, { spec, resolved }] of revisionGroups(revision)) {
    const warn = (message: string) => warnings.push(`group ${name}: ${message}`);
    if (spec.image) warn(`hosts without a container runtime run the commands as processes, not in image ${spec.image}`);
    if (spec.count.max > spec.count.min) {
      warn(
        `${spec.count.min} replicas run; between ${spec.count.min} and ${spec.count.max} nothing scales by itself yet`,
      );
    }
    for (const message of resolved.warnings) warn(message);
  }
  return warnings;
}
