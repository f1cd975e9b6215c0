import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, copyFileSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { authHeader, registryOf } from "../../agents/host/runtime/docker/engine.ts";
import { EngineSocket } from "../../agents/host/runtime/docker/engine-socket.ts";
import { ensurePrograms } from "../../scripts/system-packages.ts";

const PURPOSE = "containers, in an engine that the test starts for itself";

/** A daemon is ready in 2 s; a busy machine may take many times that. */
const READY_MS = 60_000;
const STOP_MS = 30_000;

/** Installs what it takes to run one, where that can be fetched. */
export function ensureDockerd(): void {
  ensurePrograms([
    { program: "dockerd", package: "docker.io", purpose: PURPOSE },
    { program: "busybox", package: "busybox-static", purpose: PURPOSE },
  ]);
}

/**
 * A Docker engine of the test's own: data, sockets and processes apart from any other on this machine. It makes no
 * bridge and no firewall rule, so containers are in the host's network.
 */
export class Dockerd {
  readonly folder: string;
  readonly socket: string;
  readonly #api: EngineSocket;
  #daemon: ReturnType<typeof spawn> | null = null;

  /** In front of its command line, e.g. to be in another network. */
  readonly #within: readonly string[];

  private constructor(within: readonly string[], parent: string) {
    this.#within = within;
    this.folder = mkdtempSync(join(parent, "headrace-dockerd-"));
    this.socket = join(this.folder, "docker.sock");
    this.#api = new EngineSocket(this.socket);
  }

  /**
   * @param within a command that runs the rest of its words, such as `ip netns exec NAME`
   * @param parent where its folder is made: its disk
   */
  static async start(within: readonly string[] = [], parent = tmpdir()): Promise<Dockerd> {
    ensureDockerd();
    const dockerd = new Dockerd(within, parent);
    await dockerd.begin();
    return dockerd;
  }

  /** Starts the daemon, again after `end`. */
  async begin(): Promise<void> {
    const log = openSync(join(this.folder, "log"), "a");
    const own = (name: string) => join(this.folder, name);
    const [program = "", ...first] = [...this.#within, "dockerd"];
    this.#daemon = spawn(
      program,
      [
        ...first,
        ...["--data-root", own("data"), "--exec-root", own("exec"), "--pidfile", own("pid")],
        ...["--host", `unix://${this.socket}`, "--live-restore", "--iptables=false", "--bridge=none"],
      ],
      { stdio: ["ignore", log, log], env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` } },
    );
    closeSync(log);
    const deadline = performance.now() + READY_MS;
    while (!(await this.#answers())) {
      if (this.#daemon.exitCode !== null || performance.now() > deadline) {
        throw new Error(`dockerd does not start:\n${this.logText().slice(-2_000)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Ends the daemon; containers run on. */
  async end(): Promise<void> {
    const daemon = this.#daemon;
    if (daemon === null || daemon.exitCode !== null) return;
    const exited = once(daemon, "exit");
    daemon.kill("SIGTERM");
    const timer = setTimeout(() => daemon.kill("SIGKILL"), STOP_MS);
    await exited;
    clearTimeout(timer);
  }

  /** Ends everything and removes every trace. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { Id } of await this.containers()) await this.call("DELETE", `/containers/${Id}?force=1&v=1`);
    await this.end();
    // It leaves the namespace of its host network mounted.
    const mounts = readFileSync("/proc/self/mounts", "utf8")
      .split("\n")
      .map((line) => line.split(" ")[1] ?? "");
    for (const path of mounts.filter((mount) => mount.startsWith(`${this.folder}/`))) spawnSync("umount", ["-l", path]);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  /** Any request of the API: what a person at the host would do with the `docker` command. */
  async call(method: "GET" | "POST" | "DELETE", path: string, body?: object): Promise<unknown> {
    const answer = await this.#api.call({
      method,
      path: `/v1.41${path}`,
      withinMs: READY_MS,
      ...(body === undefined ? {} : { body }),
    });
    const text = answer.toString("utf8");
    return text.startsWith("{") || text.startsWith("[") ? JSON.parse(text.split("\n")[0] ?? "") : text;
  }

  /** Every container of the engine, in whatever state. */
  async containers(): Promise<{ Id: string; Names: string[]; State: string; Labels: Record<string, string> }[]> {
    return (await this.call("GET", "/containers/json?all=1")) as never;
  }

  /**
   * Makes an image of a folder, as `docker import` does.
   * @param reference `name:tag`
   * @param changes lines of a Dockerfile, such as `ENV PATH=/bin`
   */
  async importImage(reference: string, folder: string, changes: string[] = []): Promise<void> {
    const archive = spawnSync("tar", ["-C", folder, "-c", "."], { maxBuffer: 1024 * 1024 * 1024 });
    if (archive.status !== 0) throw new Error(`tar: ${archive.stderr}`);
    const at = reference.lastIndexOf(":");
    const query = new URLSearchParams({ fromSrc: "-", repo: reference.slice(0, at), tag: reference.slice(at + 1) });
    for (const change of changes) query.append("changes", change);
    await this.#api.call({
      method: "POST",
      path: `/v1.41/images/create?${query}`,
      headers: { "content-type": "application/x-tar" },
      body: archive.stdout,
      withinMs: READY_MS,
    });
  }

  /** Gives an image another name. @param other `name:tag` */
  async tag(reference: string, other: string): Promise<void> {
    const at = other.lastIndexOf(":");
    const query = new URLSearchParams({ repo: other.slice(0, at), tag: other.slice(at + 1) });
    await this.call("POST", `/images/${reference}/tag?${query}`);
  }

  async hasImage(reference: string): Promise<boolean> {
    return this.call("GET", `/images/${reference}/json`).then(
      () => true,
      () => false,
    );
  }

  /** Puts an image into the registry that its name leads to, and forgets it here. */
  async push(reference: string, auth: { username: string; password: string }): Promise<void> {
    const at = reference.lastIndexOf(":");
    const headers = { "x-registry-auth": authHeader(auth, registryOf(reference)) };
    const path = `/v1.41/images/${reference.slice(0, at)}/push?tag=${reference.slice(at + 1)}`;
    const answer = await this.#api.call({ method: "POST", path, headers, withinMs: READY_MS });
    if (answer.includes('"error"')) throw new Error(`push: ${answer.toString("utf8").slice(-500)}`);
    await this.call("DELETE", `/images/${reference}`);
  }

  logText(): string {
    return readFileSync(join(this.folder, "log"), "utf8");
  }

  async #answers(): Promise<boolean> {
    return this.#api.call({ method: "GET", path: "/_ping", withinMs: 5_000 }).then(
      () => true,
      () => false,
    );
  }
}

/** A small system: busybox, and bash with its libraries. Nothing but a marker that makes it another image. */
export function makeRootFolder(folder: string, options: { shell: boolean }): void {
  for (const name of ["bin", "etc", "root", "tmp"]) mkdirSync(join(folder, name), { recursive: true });
  const busybox = spawnSync("sh", ["-c", "command -v busybox"], { encoding: "utf8" }).stdout.trim();
  copyFileSync(busybox, join(folder, "bin/busybox"));
  const applets = spawnSync(busybox, ["--list"], { encoding: "utf8" }).stdout.split("\n").filter(Boolean);
  const shells = ["sh", "ash", "hush", "bash", "busybox"];
  for (const name of applets.filter((applet) => !shells.includes(applet))) {
    symlinkSync("busybox", join(folder, "bin", name));
  }
  if (!options.shell) return;
  symlinkSync("busybox", join(folder, "bin/sh"));
  const bash = "/bin/bash";
  const libraries = spawnSync("ldd", [bash], { encoding: "utf8" }).stdout.match(/\/\S+/g) ?? [];
  for (const path of [bash, ...libraries]) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    copyFileSync(path, join(folder, path));
  }
}
