import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "../../../src/api/client.ts";
import { shellQuoted } from "../../../src/install/install-script.ts";
import { CONTROL_PLANES, type ControlPlane, type Runtime } from "../../support/control-planes.ts";
import { CLI, type Running, runProcess } from "../../support/processes.ts";
import { type Given, GivenBesideWorker, GivenByServer } from "./given.ts";

/** A control plane, and folders that stand for hosts: installations put all that they make into one. */
export class JoiningStage {
  readonly folder: string;
  readonly #plane: ControlPlane;
  #server: Running;
  readonly #token: string;
  readonly #given: Given;

  private constructor(parts: { folder: string; plane: ControlPlane; server: Running; token: string; given: Given }) {
    this.folder = parts.folder;
    this.#plane = parts.plane;
    this.#server = parts.server;
    this.#token = parts.token;
    this.#given = parts.given;
  }

  static async start(runtime: Runtime = "node"): Promise<JoiningStage> {
    const folder = mkdtempSync(join(tmpdir(), "headrace-joining-"));
    const env = environment(folder);
    const given = runtime === "node" ? new GivenByServer() : await GivenBesideWorker.start(folder, env);
    const plane = await CONTROL_PLANES[runtime]({ folder, env, program: () => given.program });
    await given.giveOut(CLI);
    const server = await plane.start();
    return new JoiningStage({ folder, plane, server, token: await plane.token(), given });
  }

  /** Puts a control plane in the place of the one that runs, with its data, that gives out the agent of this program's bundle. */
  async serveFrom(program: string): Promise<void> {
    await this.#given.giveOut(program);
    await this.#server.stop();
    await this.#plane.deploy();
    this.#server = await this.#plane.start();
  }

  /** Address of the folder that hosts install from. */
  get from(): string {
    return this.#given.folderUrl ?? `${this.url}/install`;
  }

  get url(): string {
    return this.#plane.url;
  }

  env(): NodeJS.ProcessEnv {
    return { ...environment(this.folder), HEADRACE_SERVER: this.url, HEADRACE_TOKEN: this.#token };
  }

  client() {
    return createClient({ server: this.url, token: this.#token, project: "main" });
  }

  /** Runs a command of the CLI to its end. */
  headrace(...args: string[]) {
    return runProcess([process.execPath, CLI, ...args], this.env());
  }

  write(name: string, text: string): string {
    writeFileSync(join(this.folder, name), text);
    return join(this.folder, name);
  }

  /** A host that nothing is installed on. */
  host(name: string): Host {
    return new Host(join(this.folder, name));
  }

  async dispose(): Promise<void> {
    const installed = readdirSync(this.folder).map((name) => join(this.folder, name, "opt", "leave"));
    for (const leave of installed.filter((path) => existsSync(path))) await runProcess([leave], process.env);
    await this.#server.stop();
    await this.#plane.dispose();
    await this.#given.dispose();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A folder in which an installation makes all that it makes. */
export class Host {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
    mkdirSync(root);
  }

  /** What the installation is told on this host, as an operator may tell it. */
  get settings(): Record<string, string> {
    return {
      HEADRACE_DIR: join(this.root, "opt"),
      HEADRACE_DATA_DIR: join(this.root, "data"),
      HEADRACE_INIT: "process",
      // No user is made on the machine of the tests.
      HEADRACE_AGENT_FLAGS: "--job-user same",
    };
  }

  /** Pastes a line as it is. In place of sudo stands what an operator may write there: settings for the script. */
  async paste(line: string, more: Record<string, string> = {}) {
    const told = Object.entries({ ...this.settings, ...more }).map(([name, value]) => `${name}=${shellQuoted(value)}`);
    const bin = join(this.root, "bin");
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, "sudo"), `#!/bin/sh\nexec env ${told.join(" ")} "$@"\n`, { mode: 0o755 });
    const done = await runProcess(["/bin/sh", "-c", '. "$0"', this.#file(line)], {
      PATH: `${bin}:${process.env.PATH}`,
    });
    rmSync(bin, { recursive: true });
    rmSync(join(this.root, "line"));
    return done;
  }

  /** What its agent says of itself. */
  status() {
    return runProcess([join(this.root, "opt", "run"), "--status"], process.env);
  }

  leave() {
    return runProcess([join(this.root, "opt", "leave")], process.env);
  }

  /** What there is. */
  entries(): string[] {
    return readdirSync(this.root);
  }

  /** The processes that run with something of this host in their command line or environment. */
  processes(): string[] {
    return pids().filter((pid) =>
      ["cmdline", "environ"].some((file) => readText(`/proc/${pid}/${file}`).includes(this.root)),
    );
  }

  /** Not as an argument of the shell: that the token is in no process's arguments is what is looked at. */
  #file(line: string): string {
    writeFileSync(join(this.root, "line"), line, { mode: 0o600 });
    return join(this.root, "line");
  }
}

/** Looks for a text in the arguments of every process until `over`. @returns the arguments that had it */
export async function seenInArguments(text: string, over: Promise<unknown>): Promise<string[]> {
  const seen = new Set<string>();
  let goes = true;
  const ending = over.finally(() => {
    goes = false;
  });
  while (goes) {
    for (const pid of pids()) {
      const args = readText(`/proc/${pid}/cmdline`).replaceAll("\0", " ");
      if (args.includes(text)) seen.add(args);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await ending;
  return [...seen];
}

function pids(): string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
}

function readText(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    // It has ended, or is somebody else's.
    return "";
  }
}

function environment(folder: string): NodeJS.ProcessEnv {
  const { HEADRACE_TOKEN: _, ...env } = process.env;
  return { ...env, HOME: folder, XDG_CONFIG_HOME: join(folder, "config"), XDG_DATA_HOME: join(folder, "share") };
}
