import type { Finding } from "../finding.ts";
import type { ParseOptions } from "../types.ts";
import { checkCounts } from "./counts.ts";
import { checkEndpoint } from "./endpoint.ts";
import { checkGroups } from "./groups.ts";
import { checkImages } from "./images.ts";
import type { Raw } from "./raw.ts";
import { checkReferences } from "./references.ts";
import { checkRollout } from "./rollout.ts";
import { checkRouters } from "./routers.ts";

/** Everything that the fields of a service say about one another. */
export function checkService(service: Raw, options: ParseOptions): Finding[] {
  return [
    ...checkGroups(service),
    ...checkCounts(service),
    ...checkImages(service),
    ...checkRouters(service),
    ...checkEndpoint(service),
    ...checkRollout(service),
    ...checkReferences(service, options),
  ];
}
