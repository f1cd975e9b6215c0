import { imageVariables } from "../control/apply/image-settings.ts";
import { toBase64Url } from "../control/bytes.ts";
import type { DeploySettings } from "./settings.ts";

/**
 * What the Worker is given as secrets. The address and images are among them, though they are none: a variable that the
 * configuration does not have would go with the next deployment.
 */
export function workerSecrets(
  { database: { url, token }, images, agentUrl }: Pick<DeploySettings, "database" | "images" | "agentUrl">,
  keys: readonly Uint8Array[],
): Record<string, string> {
  return {
    HEADRACE_DATABASE_URL: url,
    ...(token === null ? {} : { HEADRACE_DATABASE_TOKEN: token }),
    HEADRACE_KEY: keys.map(toBase64Url).join(","),
    ...imageVariables(images),
    ...(agentUrl === null ? {} : { HEADRACE_AGENT_URL: agentUrl }),
  };
}
