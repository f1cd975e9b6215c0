import { Readable } from "node:stream";
import type { InstallFolder } from "../api/routes/install.ts";
import type { Log } from "../control/log.ts";
import { type AgentBuilds, NO_BUILDS } from "../core/hosts/agent-builds.ts";
import { InstallFiles } from "../install/install-files.ts";
import { ownBundle } from "../install/own-bundle.ts";
import { AgentShelf } from "./agent-shelf.ts";

/** What agents are installed from here, and which builds of it there are. */
interface Installation {
  folder: InstallFolder | undefined;
  builds: AgentBuilds;
}

/**
 * What agents are installed from, where this server runs from a bundle: the agent's programs lie beside its own. Builds
 * that servers of this data folder gave out before are there too.
 * @param settings.nodeUrl where hosts get Node; null = the one that this runs on
 */
export async function openInstallation(
  { nodeUrl, dataDir }: { nodeUrl: string | null; dataDir: string },
  log: Log,
): Promise<Installation> {
  const bundle = ownBundle();
  if (bundle === null) return { folder: undefined, builds: NO_BUILDS };
  const { execPath: path, platform, arch } = process;
  const files = new InstallFiles({ bundle, node: { path, platform, arch }, nodeUrl });
  const shelf = new AgentShelf(dataDir);
  const { sha256: server, archive } = await files.agent();
  const kept = await shelf.keep(server, archive).catch((error) => {
    // The server's own is given out all the same.
    log("warn", "builds of the agent cannot be kept in the data folder", { dataDir, error: String(error) });
    return [];
  });
  const folder: InstallFolder = async (name) => {
    const file = (await files.all()).get(name);
    if (file !== undefined) return { type: file.type, open: () => asBody(file.open()) };
    const build = kept.find((one) => name === `${one}.tar.gz`);
    const content = build === undefined ? null : await shelf.read(build);
    return content === null ? null : { type: "application/gzip", open: () => content };
  };
  return { folder, builds: { server, kept: kept.filter((build) => build !== server), from: null } };
}

function asBody(content: Uint8Array<ArrayBuffer> | Readable): Uint8Array<ArrayBuffer> | ReadableStream {
  return content instanceof Readable ? (Readable.toWeb(content) as ReadableStream) : content;
}
