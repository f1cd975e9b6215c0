import { Readable } from "node:stream";
import type { InstallFolder } from "../api/routes/install.ts";
import { InstallFiles } from "../install/install-files.ts";
import { ownBundle } from "../install/own-bundle.ts";

/**
 * What agents are installed from, where this server runs from a bundle: the agent's programs lie beside its own.
 * @param nodeUrl where hosts get Node; null = the one that this runs on
 */
export function installFolder(nodeUrl: string | null): InstallFolder | undefined {
  const bundle = ownBundle();
  if (bundle === null) return undefined;
  const { execPath: path, platform, arch } = process;
  const files = new InstallFiles({ bundle, node: { path, platform, arch }, nodeUrl });
  return async (name) => {
    const file = (await files.all()).get(name);
    return file === undefined ? null : { type: file.type, open: () => asBody(file.open()) };
  };
}

function asBody(content: Uint8Array<ArrayBuffer> | Readable): Uint8Array<ArrayBuffer> | ReadableStream {
  return content instanceof Readable ? (Readable.toWeb(content) as ReadableStream) : content;
}
