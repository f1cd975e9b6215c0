import { join } from "node:path";
import { startServer } from "../../src/node.ts";
import { type DemoPlane, firstToken } from "./control-plane.ts";

/** The control plane in this process, its state in an embedded database. */
export async function startOnNode(folder: string, port: number): Promise<DemoPlane> {
  const flags = { dataDir: join(folder, "server"), host: "127.0.0.1", port, keyFile: join(folder, "key") };
  const { url, firstStart, close } = await startServer(flags, () => {});
  return { url, token: firstToken(firstStart), close };
}
