import { accessSync, constants } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { type InstalledAgent, UPDATE_FAILURE_CHARS_MAX } from "../../../src/wire/index.ts";
import { writePrivateFile } from "../files.ts";

/** An order that came to nothing. */
export type FailedUpdate = NonNullable<InstalledAgent["failed"]>;

const BUILD = /^[0-9a-f]{64}$/;

/**
 * The folder in which the installation's script put this agent (src/install/), as far as builds are concerned:
 *
 * - `agent/<build>/`: the programs of a build, whole as soon as the folder is there;
 * - `build`: the one to run;
 * - `trial`: `<build> <order> <starts>`, one that is run in its place until it has shown itself, or has not;
 * - `failed`: `<build> <order> <reason>`, the last order that came to nothing.
 *
 * Each file is written whole or not at all, so that whatever is killed between any two of these writes leaves a host
 * that starts one whole build. `run` (src/install/run-script.ts) reads them at each start and goes back by itself.
 */
export class Installation {
  /** The build that runs here. */
  readonly build: string;
  /** Address of the folder that it was installed from. */
  readonly from: string;
  readonly #dir: string;
  #failed: FailedUpdate | null = null;

  private constructor(dir: string, build: string, from: string) {
    this.#dir = dir;
    this.build = build;
    this.from = from;
  }

  /**
   * Takes what `run` has said out of the environment, so that no job finds it.
   * @returns null for an agent that was started otherwise, or that may not write to where it was installed
   */
  static async take(env: NodeJS.ProcessEnv): Promise<Installation | null> {
    const { HEADRACE_INSTALL_DIR: dir, HEADRACE_INSTALL_FROM: from, HEADRACE_AGENT_BUILD: build } = env;
    delete env.HEADRACE_INSTALL_DIR;
    delete env.HEADRACE_INSTALL_FROM;
    delete env.HEADRACE_AGENT_BUILD;
    if (!dir || !from || !build || !isAbsolute(dir) || !BUILD.test(build) || !isWritable(dir)) return null;
    const installation = new Installation(dir, build, from);
    await installation.#open();
    return installation;
  }

  /** As it is reported. */
  get state(): InstalledAgent {
    return { build: this.build, failed: this.#failed };
  }

  /** Where the programs of a build lie. */
  folderOf(build: string): string {
    return join(this.#dir, "agent", build);
  }

  /** Where a build is put together; of one at a time. */
  get staging(): string {
    return join(this.#dir, "fetching");
  }

  /** From the next start on, the build is run in the place of this one, until it has shown itself. */
  async putOnTrial(build: string, order: number): Promise<void> {
    await this.#write("trial", `${build} ${order} 0`);
  }

  /** This build has shown itself: it stays, and of the others the one before. */
  async confirm(): Promise<void> {
    const trial = await this.#read("trial");
    if (trial === null || !trial.startsWith(`${this.build} `)) return;
    const before = await this.#read("build");
    await this.#write("build", this.build);
    await this.#remove("trial");
    await this.#remove("failed");
    this.#failed = null;
    await this.#removeBuildsBut([this.build, before]);
  }

  /** Keeps why an order came to nothing, for the reports of this agent and of those after it. */
  async fail({ build, order, reason }: FailedUpdate): Promise<void> {
    this.#failed = { build, order, reason: reason.replace(/\s+/g, " ").slice(0, UPDATE_FAILURE_CHARS_MAX) };
    await this.#write("failed", `${build} ${order} ${this.#failed.reason}`);
  }

  /** Reads what became of the last order, and removes what an update that was broken off has left. */
  async #open(): Promise<void> {
    await rm(this.staging, { recursive: true, force: true });
    for (const name of await readdir(this.#dir)) {
      if (/^(build|trial|failed)\.\d+\.tmp$/.test(name)) await this.#remove(name);
    }
    const failed = readFailed(await this.#read("failed"));
    if (failed === null || failed.build === this.build) return;
    this.#failed = failed;
    // It is fetched again should it be tried again: it may be broken on this disk alone.
    const named = [await this.#read("build"), (await this.#read("trial"))?.split(" ")[0]];
    if (!named.includes(failed.build)) await rm(this.folderOf(failed.build), { recursive: true, force: true });
  }

  async #removeBuildsBut(kept: (string | null)[]): Promise<void> {
    const builds = await readdir(join(this.#dir, "agent"));
    for (const build of builds.filter((name) => !kept.includes(name))) {
      await rm(this.folderOf(build), { recursive: true, force: true });
    }
  }

  #write(name: string, text: string): Promise<void> {
    return writePrivateFile(join(this.#dir, name), `${text}\n`);
  }

  #remove(name: string): Promise<void> {
    return rm(join(this.#dir, name), { force: true });
  }

  async #read(name: string): Promise<string | null> {
    try {
      return (await readFile(join(this.#dir, name), "utf8")).trim();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw error;
    }
  }
}

function readFailed(text: string | null): FailedUpdate | null {
  const [, build, order, reason] = /^([0-9a-f]{64}) (\d{1,15}) (.+)$/.exec(text ?? "") ?? [];
  if (build === undefined || order === undefined || reason === undefined) return null;
  return { build, order: Number(order), reason: reason.slice(0, UPDATE_FAILURE_CHARS_MAX) };
}

function isWritable(dir: string): boolean {
  try {
    accessSync(dir, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
