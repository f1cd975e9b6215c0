import { access } from "node:fs/promises";
import { sealingKeys } from "../node/key.ts";
import type { DeploySettings } from "./settings.ts";
import { announce, STEPS } from "./steps.ts";
import { workerSecrets } from "./worker-secrets.ts";
import type { World } from "./world.ts";
import { Wrangler } from "./wrangler.ts";

/** Goes through the steps, changes nothing and asks nobody: only the Worker is bundled for real. */
export async function rehearse(settings: DeploySettings, world: World): Promise<void> {
  const { say } = world;
  const { name, account, domain, database } = settings;
  announce(STEPS.key, say);
  say(`  ${await aboutKey(settings)}`);
  announce(STEPS.account, say);
  say(
    `  would ask wrangler who is logged in, and take ${account ? `account ${account}` : "the one account of the login"}`,
  );
  announce(STEPS.database, say);
  say(`  would make or change those at ${database.url}, ${database.token ? "with" : "without"} a token`);
  announce(STEPS.worker, say);
  const { total, gzip } = await new Wrangler(settings, world).rehearse();
  say(`  bundled: ${total}, ${gzip} gzipped`);
  const names = Object.keys(workerSecrets(settings, [])).join(", ");
  say(`  would deploy it as ${name}${domain ? ` at ${domain}` : ""} with the secrets ${names}`);
  announce(STEPS.first, say);
  say("  would make project main, fleet default and an admin's token, where there are none");
  announce(STEPS.answer, say);
  say("  would ask the Worker for /health, and whether it reaches its database");
  say("This was a dry run: nothing was changed.");
}

async function aboutKey(settings: DeploySettings): Promise<string> {
  const isThere = await access(settings.keyFile).then(
    () => true,
    () => false,
  );
  if (settings.key === null && !isThere) return `would make ${settings.keyFile}`;
  const keys = await sealingKeys(settings);
  const where = settings.key === null ? settings.keyFile : "HEADRACE_KEY";
  return keys.length === 1 ? `the one in ${where}` : `the ${keys.length} in ${where}, of which the first seals`;
}
