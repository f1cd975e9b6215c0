import { deployEdge } from "./deploy/deploy-edge.ts";
import { rehearse } from "./deploy/rehearse.ts";
import { type DeployFlags, deploySettings } from "./deploy/settings.ts";
import type { World } from "./deploy/world.ts";

export type { DeployFlags } from "./deploy/settings.ts";
export type { World } from "./deploy/world.ts";

/**
 * Deploys the control plane to Cloudflare Workers, or brings the one there up to date. Every step can be repeated: after
 * a failure or a crash the same command goes on to the same end.
 *
 * @throws StartError saying which step failed, what was done before it and what to do
 */
export async function deploy(flags: DeployFlags & { dryRun?: boolean }, world: World): Promise<void> {
  const settings = deploySettings(flags, world.env, world.home);
  for (const warning of settings.warnings) world.warn(warning);
  await (flags.dryRun ? rehearse(settings, world) : deployEdge(settings, world));
}
