import type { ProxySource, ServiceEntry } from "../../proxy/types.ts";

const OUT_OF_REACH =
  "the network of its hosts lets no link through, so requests cannot be passed on to it from here; " +
  "send them to its router inside that network";

/**
 * What the request path knows, without the targets to which there is no way for as long as one may wait: those on hosts
 * that sync without a link. A service that has no others says so, in place of asking its callers to try again.
 *
 * @param source with every way there is
 */
export function withinReach(source: ProxySource, isUnlinked: (project: string, host: string) => boolean): ProxySource {
  const narrowed = (entry: ServiceEntry): ServiceEntry => {
    const { project, targets } = entry;
    const reached = targets.filter((at) => !isUnlinked(project, at.host) || source.way(project, at) !== null);
    if (reached.length === targets.length) return entry;
    return { ...entry, targets: reached, message: OUT_OF_REACH };
  };
  return {
    async service(project, name) {
      const entry = await source.service(project, name);
      return entry && narrowed(entry);
    },
    models: async (project) => (await source.models(project)).map(narrowed),
    authorize: (project, token) => source.authorize(project, token),
    way: (project, target) => source.way(project, target),
    wayBack: (project, targets, signal) => source.wayBack(project, targets, signal),
  };
}
