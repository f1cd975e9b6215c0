import { once } from "node:events";
import { createReadStream, existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { CLI, runProcess } from "../../support/processes.ts";

/** Where a control plane's hosts get their agents from, and which build it says that they shall run. */
export interface Given {
  /** The server's program. */
  readonly program: string;
  /** Of the folder that hosts install from, where it is not the server's own. */
  readonly folderUrl: string | null;
  /** From the next start on it is the agent in the bundle of this program. */
  giveOut(program: string): Promise<void>;
  dispose(): Promise<void>;
}

/** A server on Node gives out the agent beside its own program. */
export class GivenByServer implements Given {
  program = CLI;
  readonly folderUrl = null;

  async giveOut(program: string): Promise<void> {
    this.program = program;
  }

  async dispose(): Promise<void> {}
}

/** A Worker has no files: an operator writes them, serves them elsewhere, and deploys with the address of the agent. */
export class GivenBesideWorker implements Given {
  readonly program = CLI;
  readonly folderUrl: string;
  readonly #files: string;
  readonly #server: Server;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(files: string, server: Server, env: NodeJS.ProcessEnv) {
    this.#files = files;
    this.#server = server;
    this.#env = env;
    this.folderUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** @param env of the Worker's process, in which the address is set */
  static async start(folder: string, env: NodeJS.ProcessEnv): Promise<GivenBesideWorker> {
    const files = join(folder, "files");
    const server = createServer((request, response) => {
      const path = join(files, /^\/(\w[\w.]*)$/.exec(request.url ?? "")?.[1] ?? "none");
      if (existsSync(path)) createReadStream(path).pipe(response);
      else response.writeHead(404).end();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new GivenBesideWorker(files, server, env);
  }

  async giveOut(program: string): Promise<void> {
    const written = await runProcess([process.execPath, program, "host", "files", "--out", this.#files], this.#env);
    const archive = /^For HEADRACE_AGENT_URL of a Worker: the address of (\S+) there\.$/m.exec(written.output)?.[1];
    if (archive === undefined) throw new Error(written.output);
    this.#env.HEADRACE_AGENT_URL = `${this.folderUrl}/${archive}`;
  }

  async dispose(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
