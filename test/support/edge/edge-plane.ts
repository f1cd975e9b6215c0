import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../../scripts/bootstrap.js";
import { LibsqlServer } from "../../../scripts/libsql-server/server.ts";
import { prepareWorkerd } from "../../../scripts/workerd/workerd.ts";
import { createClient } from "../../../src/api/client.ts";
import { makeToken } from "../../../src/control/tokens/tokens.ts";
import { FIRST_PROJECT, firstStart } from "../../../src/node/first-start.ts";
import { migrateRemote } from "../../../src/node/remote-database.ts";
import { createStore } from "../../../src/store/libsql.ts";
import type { Store } from "../../../src/store/types.ts";
import { INVENTORY, ObedientAgent } from "../obedient-agent.ts";
import { freePort } from "../ports.ts";
import { type Running, startProcess, until } from "../processes.ts";
import { seedToken } from "../seed-token.ts";
import { COUNTS_PATH, type EdgeCounts } from "./counts.ts";
import { IsolateHeap } from "./isolate-heap.ts";

/** The Worker with its counts, on plain workerd, beside a libSQL server whose requests are counted too. */
export class EdgePlane {
  readonly url: string;
  readonly database: LibsqlServer;
  readonly #folder: string;
  readonly #command: string[];
  readonly #cronPort: number;
  readonly #inspectorPort: number;
  /** Past the Worker, so that a look costs it nothing and wakes nobody. */
  readonly store: Store;
  readonly token: string;
  #running: Running | null = null;

  private constructor(parts: {
    folder: string;
    command: string[];
    port: number;
    cronPort: number;
    inspectorPort: number;
    database: LibsqlServer;
    store: Store;
    token: string;
  }) {
    this.url = `http://127.0.0.1:${parts.port}`;
    this.#folder = parts.folder;
    this.#command = parts.command;
    this.#cronPort = parts.cronPort;
    this.#inspectorPort = parts.inspectorPort;
    this.database = parts.database;
    this.store = parts.store;
    this.token = parts.token;
  }

  /** @param fill writes what the database shall hold before the control plane sees it */
  static async start(fill: (store: Store) => Promise<unknown> = async () => {}): Promise<EdgePlane> {
    const folder = await mkdtemp(join(tmpdir(), "headrace-edge-"));
    const database = await LibsqlServer.start(join(folder, "edge.db"));
    const store = createStore(await migrateRemote(database.url, null));
    const first = await firstStart(store, Date.now());
    await fill(store);
    const [port, cronPort] = [await freePort(), await freePort()];
    const place = { port, cronPort, databaseUrl: database.url, version: "1" };
    const entry = join(ROOT, "test/support/edge/counting-worker.ts");
    const command = await prepareWorkerd(join(folder, "workerd"), place, entry);
    const inspectorPort = await freePort();
    // After the name of what workerd shall do.
    command.splice(2, 0, `--inspector-addr=127.0.0.1:${inspectorPort}`);
    const token = first?.adminToken ?? "";
    const plane = new EdgePlane({ folder, command, port, cronPort, inspectorPort, database, store, token });
    await plane.run();
    return plane;
  }

  /** Starts the process, and resolves once it serves. */
  async run(): Promise<void> {
    const secrets = { HEADRACE_KEY: Buffer.alloc(32, 7).toString("base64"), HEADRACE_DATABASE_TOKEN: "" };
    const running = startProcess(this.#command, { PATH: process.env.PATH, ...secrets });
    this.#running = running;
    await until(() => this.#serves(), running.output);
  }

  /** While it is stopped: all that its objects had in storage is gone, their alarms among it. */
  async loseObjects(): Promise<void> {
    await rm(join(this.#folder, "workerd/objects"), { recursive: true });
    await mkdir(join(this.#folder, "workerd/objects"));
  }

  async stop(): Promise<void> {
    await this.#running?.stop("SIGKILL");
    this.#running = null;
  }

  async dispose(): Promise<void> {
    await this.stop();
    await this.store.close();
    await this.database.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  get pid(): number {
    return this.#running?.pid ?? 0;
  }

  /** A look at the memory of the isolate. */
  heap(): Promise<IsolateHeap> {
    return IsolateHeap.at(this.#inspectorPort);
  }

  /** What workerd has printed. */
  output(): string {
    return this.#running?.output() ?? "it does not run";
  }

  async counts(): Promise<EdgeCounts> {
    return (await (await fetch(this.url + COUNTS_PATH)).json()) as EdgeCounts;
  }

  /** Rings the cron trigger once. */
  async ringCron(): Promise<void> {
    const { status } = await fetch(`http://127.0.0.1:${this.#cronPort}/`);
    if (status !== 200) throw new Error(`the cron trigger answered ${status}: ${this.output()}`);
  }

  client() {
    return createClient({ server: this.url, token: this.token, project: FIRST_PROJECT });
  }

  get(path: string): Promise<Response> {
    return fetch(this.url + path, { headers: { authorization: `Bearer ${this.token}` } });
  }

  /** Written past the Worker, so that it costs it nothing. */
  joinToken(): Promise<string> {
    return seedToken(this.store, FIRST_PROJECT, "join", { subject: "default" });
  }

  /**
   * A host that has joined, without a link yet.
   * @param joinToken from `joinToken`
   */
  async join(name: string, joinToken: string): Promise<ObedientAgent> {
    const credential = makeToken("host");
    const body = {
      name,
      machine: name,
      agentVersion: "0",
      inventory: INVENTORY,
      credentialHash: ObedientAgent.hashOf(credential),
    };
    const answer = await fetch(`${this.url}/agent/join`, {
      method: "POST",
      headers: { authorization: `Bearer ${joinToken}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const { host } = (await answer.json()) as { host: string };
    if (answer.status !== 200) throw new Error(`a join was answered ${answer.status}`);
    return new ObedientAgent(host, credential, name);
  }

  async #serves(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/health`)).ok;
    } catch {
      return false;
    }
  }
}
