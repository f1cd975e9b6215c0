import { mkdtemp, rm } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, createClient } from "../../src/api/client.ts";
import type { CommitView } from "../../src/control/views/views.ts";
import { CONTROL_PLANES, type ControlPlane, type Runtime } from "./control-planes.ts";
import { PlayedHost } from "./played-host.ts";
import { type Running, until } from "./processes.ts";

/** A control plane as a process, and hosts that the test plays. Each test leaves it empty. */
export class LinkStage {
  readonly runtime: Runtime;
  readonly plane: ControlPlane;
  readonly token: string;
  server: Running;
  readonly #folder: string;
  readonly #hosts: PlayedHost[] = [];
  #made = 0;

  private constructor(runtime: Runtime, folder: string, plane: ControlPlane, server: Running, token: string) {
    this.runtime = runtime;
    this.#folder = folder;
    this.plane = plane;
    this.server = server;
    this.token = token;
  }

  /** @param make what makes the control plane; the usual one of that runtime unless given */
  static async start(runtime: Runtime, make = CONTROL_PLANES[runtime]): Promise<LinkStage> {
    const folder = await mkdtemp(join(tmpdir(), "headrace-link-"));
    const env = { PATH: process.env.PATH, HOME: folder, XDG_CONFIG_HOME: join(folder, "config") };
    const plane = await make({ folder, env });
    const server = await plane.start();
    return new LinkStage(runtime, folder, plane, server, await plane.token());
  }

  get url(): string {
    return this.plane.url;
  }

  get client(): Client {
    return createClient({ server: this.url, token: this.token, project: "main" });
  }

  /** A name that no other test of this stage has had. */
  name(prefix: string): string {
    this.#made += 1;
    return `${prefix}${this.#made}`;
  }

  async joined(): Promise<PlayedHost> {
    const host = await PlayedHost.join(this.client, this.url, this.name("h"));
    this.#hosts.push(host);
    return host;
  }

  async here(): Promise<PlayedHost> {
    const host = await PlayedHost.here(this.client, this.url, this.name("h"));
    this.#hosts.push(host);
    return host;
  }

  async view(host: PlayedHost) {
    return (await this.client.hosts()).find(({ id }) => id === host.id);
  }

  /** A service of so many replicas, for hosts to be told of. @param more YAML of its own. @returns its name */
  async apply(replicas = 1, name = this.name("s"), more = ""): Promise<string> {
    await this.client.apply({ config: plainConfig(name, replicas) + more });
    return name;
  }

  /** A service with one ready replica on each of the hosts. */
  async serve(...hosts: PlayedHost[]): Promise<string> {
    const service = await this.apply(hosts.length);
    for (const host of hosts) await host.syncUntil(() => host.jobs.length > 0, "is told to run nothing");
    for (const host of hosts) await host.sync();
    await until(
      async () => (await this.client.service(service)).ready,
      () => `${service} does not become ready`,
    );
    return service;
  }

  /** A request by way of the proxy. */
  fetch(service: string, path: string, init: RequestInit & { duplex?: "half" } = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${this.token}`, ...init.headers };
    return fetch(`${this.url}/proxy/services/main/${service}${path}`, { ...init, headers });
  }

  /**
   * A request by way of the proxy whose client leaves: its connection is reset. One that is only closed is noticed by
   * workerd alone no sooner than it writes; in front of Workers stands what tells them.
   */
  leaver(service: string, path: string): { answered: Promise<void>; leave(): void } {
    const headers = { authorization: `Bearer ${this.token}` };
    const request = httpRequest(`${this.url}/proxy/services/main/${service}${path}`, { headers });
    const answered = new Promise<void>((resolve) => {
      request.on("response", (response) => response.once("data", () => resolve()).on("error", () => undefined));
    });
    request.on("error", () => undefined).end();
    return { answered, leave: () => void request.socket?.resetAndDestroy() };
  }

  async commits(after = 0): Promise<CommitView[]> {
    return (await this.client.journal({ after, limit: 500 })).commits;
  }

  /** The newest commit's number. */
  async version(): Promise<number> {
    return (await this.client.journal({ after: -1 })).commits.at(-1)?.version ?? 0;
  }

  async kill(): Promise<void> {
    await this.server.stop("SIGKILL");
  }

  async start(): Promise<void> {
    this.server = await this.plane.start();
  }

  /** Takes all hosts and services away. */
  async clear(): Promise<void> {
    for (const host of this.#hosts.splice(0)) {
      await this.client.removeHost(host.id, true).catch(() => undefined);
      host.leave();
    }
    for (const { name } of await this.client.services()) await this.client.stop(name);
    await until(
      async () => (await this.client.services()).every(({ status }) => status === "stopped"),
      () => "services are left",
    );
    for (const { name } of await this.client.services()) await this.client.delete(name);
  }

  async dispose(): Promise<void> {
    await this.server.stop("SIGKILL");
    await this.plane.dispose();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A service of so many plain replicas. */
export function plainConfig(name: string, replicas: number): string {
  return `
type: service
name: ${name}
port: 8000
commands: [python3 -m http.server $HEADRACE_PORT]
replicas: ${replicas}
resources: { cpu: 1.., memory: 100MB.., disk: 100MB.. }
`;
}
