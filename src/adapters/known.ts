import { sglang } from "./sglang.ts";
import { smg } from "./smg.ts";
import type { EngineAdapter, RouterAdapter } from "./types.ts";

/** Every engine there is an adapter for; the first that recognises a launch line has it. */
export const ENGINES: readonly EngineAdapter[] = [sglang];
const ROUTERS: readonly RouterAdapter[] = [smg];

/** The adapter of an engine by the name that a resolved group or a desired job carries; null when there is none. */
export function engineAdapter(name: string | null): EngineAdapter | null {
  return ENGINES.find((engine) => engine.name === name) ?? null;
}

/** The adapter of a router; null when there is none (dynamo has none yet). */
export function routerAdapter(name: string | null): RouterAdapter | null {
  return ROUTERS.find((router) => router.name === name) ?? null;
}
