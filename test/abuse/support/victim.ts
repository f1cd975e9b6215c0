import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Client, createClient } from "../../../src/api/client.ts";
import { openDatabase } from "../../../src/node/database.ts";
import { FIRST_ENTITIES } from "../../../src/node/first-start.ts";
import { createStore } from "../../../src/store/libsql.ts";
import type { Store } from "../../../src/store/types.ts";
import { freePort } from "../../support/ports.ts";
import { CLI, type Running, startProcess, until } from "../../support/processes.ts";
import { seedToken } from "../../support/seed-token.ts";

/** The project of those who behave, and the one of those who do not. */
export const GOOD = "good";
export const BAD = "bad";
/** The service that the good project runs: an engine for tests, which echoes and streams. */
export const STEADY = "steady";
/** Another of its services, behind a router. */
export const ROUTED = "routed";
/** A value in the steady service's environment that nobody but its job may ever see. */
export const SECRET = "s3cr3t-0f-the-steady-service";

const ENGINE = fileURLToPath(new URL("../../../agents/host/testing/engine.js", import.meta.url));
const CARELESS_ROUTER = fileURLToPath(new URL("careless-router.js", import.meta.url));

/** A real control plane with two projects, and a real agent that runs the good one's service. */
export class Victim {
  readonly url: string;
  readonly port: number;
  /** Admins of the two projects. */
  readonly tokens: { [GOOD]: string; [BAD]: string };
  readonly server: Running;
  agent: Running | null = null;
  private readonly folder: string;

  private constructor(folder: string, port: number, server: Running, tokens: Victim["tokens"]) {
    this.folder = folder;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.server = server;
    this.tokens = tokens;
  }

  /**
   * @param prepare writes more into the database before the server opens it
   * @param openFiles how many files the server may have open; null: as many as this process
   */
  static async start(
    prepare: (store: Store) => Promise<void> = async () => {},
    openFiles: number | null = null,
  ): Promise<Victim> {
    const folder = await mkdtemp(join(tmpdir(), "headrace-abuse-"));
    const data = join(folder, "server");
    const store = createStore(await openDatabase(data));
    const tokens = { [GOOD]: await seedProject(store, GOOD), [BAD]: await seedProject(store, BAD) };
    await prepare(store);
    await store.close();
    const port = await freePort();
    const flags = ["--port", String(port), "--data-dir", data];
    const command = [process.execPath, CLI, "server", ...flags];
    const limited = ["/bin/sh", "-c", `ulimit -n ${openFiles} && exec "$@"`, "sh", ...command];
    const server = startProcess(openFiles === null ? command : limited, environment(folder));
    await until(() => server.output().includes("serves at"), server.output);
    return new Victim(folder, port, server, tokens);
  }

  /** Joins a host to the good project and brings the steady service up on it. */
  async startSteadyService(): Promise<void> {
    const { token } = await this.client(GOOD).createToken({ kind: "join", name: "host" });
    const flags = ["--server", this.url, "--name", "good-host", "--address", "127.0.0.1"];
    flags.push("--job-user", "same", "--stop-jobs-on-exit");
    const command = [process.execPath, CLI, "agent", ...flags, "--data-dir", join(this.folder, "agent")];
    const agent = startProcess(command, { ...environment(this.folder), HEADRACE_JOIN_TOKEN: token });
    this.agent = agent;
    await until(async () => (await this.client(GOOD).hosts()).some((host) => host.online), agent.output);
    await this.client(GOOD).apply({ config: STEADY_SERVICE, env: { STEADY_SECRET: SECRET } });
    await until(
      async () => (await this.client(GOOD).service(STEADY)).ready,
      () => `${agent.output()}\n${this.server.output()}`,
    );
  }

  /** Brings up a second service of the good project: a router that reads paths carelessly, and one worker. */
  async startRoutedService(): Promise<void> {
    await this.client(GOOD).apply({ config: ROUTED_SERVICE });
    await until(
      async () => (await this.client(GOOD).service(ROUTED)).ready,
      () => `${this.agent?.output()}\n${this.server.output()}`,
    );
  }

  client(project: typeof GOOD | typeof BAD): Client {
    return createClient({ server: this.url, token: this.tokens[project], project });
  }

  steadyUrl(path: string): string {
    return `${this.url}/proxy/services/${GOOD}/${STEADY}${path}`;
  }

  routedUrl(path: string): string {
    return `${this.url}/proxy/services/${GOOD}/${ROUTED}${path}`;
  }

  get alive(): boolean {
    return this.server.child.exitCode === null && this.server.child.signalCode === null;
  }

  /** Memory that the server holds now. */
  rssMib(): number {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.server.pid}/status`, "utf8"))?.[1];
    return Number(kib) / 1024;
  }

  /** Files and sockets that the server has open now. */
  handles(): number {
    return readdirSync(`/proc/${this.server.pid}/fd`).length;
  }

  async dispose(): Promise<void> {
    await this.agent?.stop();
    await this.server.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function seedProject(store: Store, project: string): Promise<string> {
  await store.createProject(project, Date.now(), FIRST_ENTITIES);
  return seedToken(store, project, "admin");
}

function environment(folder: string): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: folder, XDG_CONFIG_HOME: join(folder, "config") };
}

const SMALL = "{ cpu: 1.., memory: 100MB.., disk: 100MB.. }";

const STEADY_SERVICE = `
type: service
name: ${STEADY}
port: 8000
env:
  - STEADY_SECRET
commands:
  - exec '${process.execPath}' '${ENGINE}' --port $HEADRACE_PORT
probes:
  - { type: http, url: /health, interval: 1s }
resources: ${SMALL}
`;

const ROUTED_SERVICE = `
type: service
name: ${ROUTED}
port: 8000
groups:
  - name: router
    count: 1
    router: { type: sglang }
    commands:
      # Under the real one's name, so that its ports can move where others use them.
      - smg() { exec '${process.execPath}' '${CARELESS_ROUTER}'; }
      - smg launch --port $HEADRACE_PORT --prometheus-port $HEADRACE_METRICS_PORT
    resources: ${SMALL}
  - name: worker
    count: 1
    commands:
      - exec '${process.execPath}' '${ENGINE}' --port $HEADRACE_PORT
    resources: ${SMALL}
`;
