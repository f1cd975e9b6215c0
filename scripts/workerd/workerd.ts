import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { bundleWorker, compatibility, WORKER } from "./bundle.ts";
import { CRON_MODULE, type WorkerdPlace, workerdConfig } from "./config.ts";

/**
 * Prepares a control plane on plain workerd, as the platform runs it but on this machine and for one process: the
 * Durable Objects keep their storage in a folder.
 *
 * @param folder is made when it is not there; holds the bundle, the configuration and the objects' storage
 * @param entry the Worker's source, where it is another than the one that is deployed
 * @returns the command that serves until it is ended; the secrets go into its environment
 */
export async function prepareWorkerd(
  folder: string,
  place: Omit<WorkerdPlace, "bundle" | "stateFolder">,
  entry = WORKER,
): Promise<[string, ...string[]]> {
  const stateFolder = join(folder, "objects");
  await mkdir(stateFolder, { recursive: true });
  const bundle = "worker.js";
  await bundleWorker(join(folder, bundle), entry);
  await writeFile(join(folder, "cron.js"), CRON_MODULE);
  const config = join(folder, "workerd.capnp");
  await writeFile(config, workerdConfig({ ...place, bundle, stateFolder }, compatibility()));
  // The cron trigger of a Worker can be rung by another one only with this.
  return [workerdBinary(), "serve", "--experimental", config];
}

/** The binary that wrangler brings along, started without the script in front of it. */
function workerdBinary(): string {
  const require = createRequire(createRequire(import.meta.url).resolve("wrangler"));
  const packageName = { x64: "64", arm64: "arm64" }[process.arch as string] ?? process.arch;
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const workerd = createRequire(require.resolve("workerd"));
  const found = workerd.resolve(`@cloudflare/workerd-${platform}-${packageName}/package.json`);
  return join(dirname(found), "bin", "workerd");
}
