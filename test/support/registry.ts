import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensurePrograms } from "../../scripts/system-packages.ts";
import { freePort } from "./ports.ts";

const PURPOSE = "images that must be pulled, with a user name and a password";

/** It listens within half a second; a busy machine may take many times that. */
const READY_MS = 30_000;

/** A real registry on loopback, which engines take without TLS there. Whoever pulls or pushes must say who it is. */
export class Registry {
  /** `127.0.0.1:PORT`, as it stands in front of an image's name. */
  readonly host: string;
  readonly auth: { username: string; password: string };
  readonly #folder: string;
  readonly #daemon: ReturnType<typeof spawn>;

  private constructor(port: number, folder: string) {
    this.host = `127.0.0.1:${port}`;
    this.auth = { username: "puller", password: "right" };
    this.#folder = folder;
    this.#daemon = spawn("docker-registry", ["serve", join(folder, "config.yml")], { stdio: "ignore" });
  }

  static async start(): Promise<Registry> {
    ensurePrograms([
      { program: "docker-registry", package: "docker-registry", purpose: PURPOSE },
      { program: "htpasswd", package: "apache2-utils", purpose: PURPOSE },
    ]);
    const folder = mkdtempSync(join(tmpdir(), "headrace-registry-"));
    const port = await freePort();
    writeFileSync(join(folder, "htpasswd"), spawnSync("htpasswd", ["-Bbn", "puller", "right"]).stdout);
    const config = {
      version: "0.1",
      log: { accesslog: { disabled: true }, level: "error" },
      storage: { filesystem: { rootdirectory: join(folder, "images") } },
      http: { addr: `127.0.0.1:${port}` },
      auth: { htpasswd: { realm: "test", path: join(folder, "htpasswd") } },
    };
    writeFileSync(join(folder, "config.yml"), JSON.stringify(config));
    const registry = new Registry(port, folder);
    const deadline = performance.now() + READY_MS;
    while (
      !(await fetch(`http://${registry.host}/v2/`).then(
        ({ status }) => status === 401,
        () => false,
      ))
    ) {
      if (performance.now() > deadline) throw new Error("docker-registry does not start");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return registry;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#daemon.exitCode === null) {
      const exited = once(this.#daemon, "exit");
      this.#daemon.kill("SIGKILL");
      await exited;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
