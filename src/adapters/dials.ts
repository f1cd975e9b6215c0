import { engineAdapter, routerAdapter } from "./known.ts";
import type { Dial, ResolvedGroup } from "./types.ts";

/** The connections that a service of these groups needs between its replicas. */
export function dialsOf(groups: Iterable<Pick<ResolvedGroup, "engine" | "router">>): Dial[] {
  const dials = new Map<string, Dial>();
  for (const { engine, router } of groups) {
    for (const dial of [...(engineAdapter(engine)?.dials ?? []), ...(routerAdapter(router)?.dials ?? [])]) {
      dials.set(`${dial.from} ${dial.to} ${dial.port}`, dial);
    }
  }
  return [...dials.values()];
}
