import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, createClient } from "../../src/api/client.ts";
import { openDatabase } from "../../src/node/database.ts";
import { FIRST_ENTITIES } from "../../src/node/first-start.ts";
import { createStore } from "../../src/store/libsql.ts";
import { freePort } from "../../test/support/ports.ts";
import { CLI, until } from "../../test/support/processes.ts";
import { seedToken } from "../../test/support/seed-token.ts";
import { cpuUs } from "../proxy/cpu.ts";
import type { JoinedHost } from "./orders.ts";
import { hostOf, putHostCredentials } from "./seeded.ts";

/** A busy machine takes this long to start it, at the worst. */
const START_MS_MAX = 60_000;

/** One real control plane with its embedded database, in a process of its own that can be killed and started again. */
export class MeasuredServer {
  readonly url: string;
  readonly #folder: string;
  readonly #port: number;
  readonly #admins: Map<string, string>;
  /** Join tokens of each project, not used yet. */
  readonly joins: Map<string, string[]>;
  /** Hosts of each project that have joined. */
  readonly hosts: Map<string, JoinedHost[]>;
  #process: ChildProcess | null = null;

  private constructor(
    folder: string,
    port: number,
    admins: Map<string, string>,
    { joins, hosts }: Pick<MeasuredServer, "joins" | "hosts">,
  ) {
    this.hosts = hosts;
    this.#folder = folder;
    this.#port = port;
    this.#admins = admins;
    this.joins = joins;
    this.url = `http://127.0.0.1:${port}`;
  }

  /**
   * @param counts hosts of each project, by its name
   * @param joined whether they have joined when the server starts; else there is a join token for each
   */
  static async start(counts: Record<string, number>, joined: boolean): Promise<MeasuredServer> {
    const folder = await mkdtemp(join(tmpdir(), "headrace-agents-"));
    const database = await openDatabase(join(folder, "server"));
    // The server opens it anew, with the syncs that are its own.
    await database.execute("PRAGMA synchronous = off");
    const store = createStore(database);
    const admins = new Map<string, string>();
    const seeded = { joins: new Map<string, string[]>(), hosts: new Map<string, JoinedHost[]>() };
    for (const [project, count] of Object.entries(counts)) {
      const serials = Array.from({ length: joined ? count : 0 }, (_, serial) => serial);
      await store.createProject(project, Date.now(), [...FIRST_ENTITIES, ...serials.map(hostOf)]);
      admins.set(project, await seedToken(store, project, "admin"));
      const hosts = await putHostCredentials(store, project, serials.length);
      seeded.hosts.set(project, hosts);
      const tokens: string[] = [];
      for (let i = hosts.length; i < count; i += 1)
        tokens.push(await seedToken(store, project, "join", { subject: "default" }));
      seeded.joins.set(project, tokens);
    }
    await store.close();
    const server = new MeasuredServer(folder, await freePort(), admins, seeded);
    await server.run();
    return server;
  }

  /** Starts the process. @param started is called with its id before it serves */
  async run(started?: (pid: number) => Promise<unknown>): Promise<void> {
    const flags = ["--port", String(this.#port), "--data-dir", join(this.#folder, "server")];
    const { PATH, NODE_OPTIONS } = process.env;
    const env = { PATH, NODE_OPTIONS, HOME: this.#folder, XDG_CONFIG_HOME: join(this.#folder, "config") };
    // A line for each link: into a file, since reading them here would be work beside what is measured.
    const log = openSync(this.#log, "a");
    this.#process = spawn(process.execPath, [CLI, "server", ...flags], { env, stdio: ["ignore", log, log] });
    closeSync(log);
    const server = this.#process;
    const end = () => server.kill("SIGKILL");
    process.once("exit", end);
    server.once("exit", () => process.off("exit", end));
    await started?.(this.pid);
    const isUp = () =>
      fetch(`${this.url}/health`).then(
        ({ ok }) => ok,
        () => false,
      );
    await until(isUp, () => this.output, START_MS_MAX);
  }

  async stop(signal: NodeJS.Signals): Promise<void> {
    const server = this.#process;
    this.#process = null;
    if (server?.kill(signal)) await once(server, "exit");
  }

  async dispose(): Promise<void> {
    await this.stop("SIGTERM");
    await rm(this.#folder, { recursive: true, force: true });
  }

  client(project: string): Client {
    return createClient({ server: this.url, token: this.adminToken(project), project });
  }

  adminToken(project: string): string {
    return this.#admins.get(project) ?? "";
  }

  /** Its last lines. */
  get output(): string {
    return readFileSync(this.#log, "utf8").slice(-2_000);
  }

  get #log(): string {
    return join(this.#folder, "server.log");
  }

  /** 0: there is none. */
  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** Seconds of a processor that it has used so far. */
  get cpuSeconds(): number {
    return cpuUs(this.pid, false) / 1e6;
  }

  get residentMb(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024;
  }

  /** Changes whenever anything is written to the database, also where its log is written over from the start. */
  get databaseMark(): string {
    const marks = ["headrace.db", "headrace.db-wal"].map((name) => {
      const file = statSync(join(this.#folder, "server", name), { throwIfNoEntry: false });
      return `${file?.size} ${file?.mtimeMs}`;
    });
    return marks.join(", ");
  }

  /** The number of the last commit. */
  async version(project: string): Promise<number> {
    const { commits } = await this.client(project).journal({ after: -1 });
    return commits.at(-1)?.version ?? 0;
  }
}
