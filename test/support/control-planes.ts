import { join } from "node:path";
import { LibsqlServer } from "../../scripts/libsql-server/server.ts";
import { prepareWorkerd } from "../../scripts/workerd/workerd.ts";
import { firstStart } from "../../src/node/first-start.ts";
import { migrateRemote } from "../../src/node/remote-database.ts";
import { createStore } from "../../src/store/libsql.ts";
import { freePort } from "./ports.ts";
import { CLI, type Running, runProcess, startProcess, until } from "./processes.ts";

/** The runtimes that a control plane runs on. */
export const RUNTIMES = ["node", "workerd"] as const;
export type Runtime = (typeof RUNTIMES)[number];

/** A control plane that can be killed and started again with what it has written. */
export interface ControlPlane {
  url: string;
  /** Starts it, and resolves once it serves. */
  start(): Promise<Running>;
  /** The first admin's token. Asked once it has been started. */
  token(): Promise<string>;
  /** While it is stopped: what starts next is another deployment of the same. */
  deploy(): Promise<void>;
  /** The database server, where it has one of its own. */
  database: LibsqlServer | null;
  /** After it was stopped. */
  dispose(): Promise<void>;
}

/** Seals what is sealed in tests. */
export const TEST_KEY = Buffer.alloc(32, 7).toString("base64");

export interface Place {
  folder: string;
  /** What every process gets; read anew at each start. */
  env: NodeJS.ProcessEnv;
  /** Where it listens; 127.0.0.1 where nothing else is said. */
  host?: string;
  /** On Node: what is started in place of the command; asked at each start. */
  program?: () => string;
  /** On workerd: the source of the Worker, where it is another than the one that is deployed. */
  worker?: string;
}

export const CONTROL_PLANES: Record<Runtime, (place: Place) => Promise<ControlPlane>> = {
  node: nodeServer,
  workerd: workerdServer,
};

/** As `headrace server` runs it, with an embedded database. */
async function nodeServer({ folder, env, host = "127.0.0.1", program = () => CLI }: Place): Promise<ControlPlane> {
  const port = await freePort();
  const data = join(folder, "server");
  return {
    url: `http://${host}:${port}`,
    async start() {
      const server = startProcess(
        [process.execPath, program(), "server", "--host", host, "--port", String(port), "--data-dir", data],
        env,
      );
      await until(() => server.output().includes("serves at"), server.output);
      return server;
    },
    token: async () => (await runProcess([process.execPath, CLI, "token", "show"], env)).stdout.trim(),
    deploy: async () => {},
    database: null,
    dispose: async () => {},
  };
}

/** A libSQL server in this process, with all that a first start makes. */
export async function firstDatabase(folder: string): Promise<{ database: LibsqlServer; token: string }> {
  const database = await LibsqlServer.start(join(folder, "edge.db"));
  const store = createStore(await migrateRemote(database.url, null));
  const first = await firstStart(store, Date.now());
  await store.close();
  return { database, token: first?.adminToken ?? "" };
}

/** The Worker on plain workerd, with a libSQL server in this process. */
async function workerdServer({ folder, env, host = "127.0.0.1", worker }: Place): Promise<ControlPlane> {
  const { database, token } = await firstDatabase(folder);
  const [port, cronPort] = [await freePort(), await freePort()];
  let deployment = 0;
  const prepare = () => {
    deployment += 1;
    const place = { host, port, cronPort, databaseUrl: database.url, version: String(deployment) };
    return prepareWorkerd(join(folder, "workerd"), place, worker);
  };
  let command = await prepare();
  const url = `http://${host}:${port}`;
  const secrets = { HEADRACE_KEY: TEST_KEY, HEADRACE_DATABASE_TOKEN: "" };
  return {
    url,
    async start() {
      const server = startProcess(command, { ...env, ...secrets });
      await until(
        () =>
          fetch(`${url}/health`)
            .then(({ ok }) => ok)
            .catch(() => false),
        server.output,
      );
      // Asked to end, workerd would wait until every link and every stream has ended by itself; the platform asks nobody.
      return { ...server, stop: (signal = "SIGKILL") => server.stop(signal) };
    },
    token: async () => token,
    async deploy() {
      command = await prepare();
    },
    database,
    dispose: () => database.close(),
  };
}
