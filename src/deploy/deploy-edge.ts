import type { Client } from "@libsql/client";
import { firstStart } from "../node/first-start.ts";
import { sealingKeys } from "../node/key.ts";
import { migrateRemote } from "../node/remote-database.ts";
import { createStore } from "../store/libsql.ts";
import { checkKeys } from "./check-keys.ts";
import type { DeploySettings } from "./settings.ts";
import { STEPS, stepper } from "./steps.ts";
import { untilItAnswers } from "./until-it-answers.ts";
import { workerSecrets } from "./worker-secrets.ts";
import type { World } from "./world.ts";
import { Wrangler } from "./wrangler.ts";

/** @throws StartError saying which step failed, what was done before it and what to do */
export async function deployEdge(settings: DeploySettings, world: World): Promise<void> {
  const step = stepper(world);
  const wrangler = new Wrangler(settings, world);
  const keys = await step(STEPS.key, () => sealingKeys(settings));
  await step(STEPS.account, () => wrangler.checkLogin());
  const { database } = settings;
  const client = await step(STEPS.database, () => openWith(database, (opened) => checkKeys(opened, keys)));
  const store = createStore(client);
  try {
    const url = await step(STEPS.worker, () => wrangler.deploy(workerSecrets(settings, keys)));
    const first = await step(STEPS.first, () => firstStart(store, world.now(), (token) => world.keepToken(url, token)));
    await step(STEPS.answer, () => untilItAnswers(url, world));
    world.say(`Headrace serves at ${url}`);
    if (!first) world.say(`It has admins already; log in with: npx headrace login --server ${url}`);
    showNextSteps(url, world);
  } finally {
    await store.close();
  }
}

/** A database with its tables up to date, and one that `check` has nothing against. */
async function openWith(
  { url, token }: DeploySettings["database"],
  check: (client: Client) => Promise<void>,
): Promise<Client> {
  const client = await migrateRemote(url, token);
  try {
    await check(client);
    return client;
  } catch (error) {
    client.close();
    throw error;
  }
}

function showNextSteps(url: string, { say }: World): void {
  say(`
Next, a host. A Worker has no files to give out: serve the folder that the first line writes, and paste there what the
second one prints (docs/joining.md).
  HEADRACE_SERVER=${url} npx headrace host files --out headrace-install
  HEADRACE_SERVER=${url} npx headrace host join --from https://<where it is served>
Then a service:
  HEADRACE_SERVER=${url} npx headrace apply -f service.yml`);
}
