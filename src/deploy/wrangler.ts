import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { StartError } from "../node/start-error.ts";
import { ROOT } from "./root.ts";
import type { DeploySettings } from "./settings.ts";
import type { World } from "./world.ts";
import { explained } from "./wrangler-failure.ts";

/** Of what wrangler says; a failure stands at its end. */
const OUTPUT_CHARS_MAX = 100_000;

const login = z.object({
  loggedIn: z.boolean(),
  accounts: z.array(z.object({ name: z.string(), id: z.string() })).default([]),
});

/** The line about a deployment in the file of results that wrangler writes. */
const deployed = z.object({ type: z.literal("deploy"), targets: z.array(z.string()).default([]) });

/** Cloudflare's own program, as a process. What it asks at a terminal it decides by itself or refuses. */
export class Wrangler {
  private readonly settings: DeploySettings;
  private readonly world: Pick<World, "env" | "interrupted">;
  private readonly program: [string, ...string[]];

  /** @throws StartError when it is not there */
  constructor(settings: DeploySettings, world: Pick<World, "env" | "interrupted">) {
    this.settings = settings;
    this.world = world;
    const own = join(ROOT, "node_modules/wrangler/bin/wrangler.js");
    const program = settings.wrangler ?? own;
    if (!existsSync(program)) {
      throw new StartError(
        `wrangler is not at ${program}. It comes with the checkout's development dependencies: run npm ci there.`,
      );
    }
    this.program = settings.wrangler === null ? [process.execPath, own] : [program];
  }

  /** @throws StartError when nobody is logged in, or it is not clear which account is meant */
  async checkLogin(): Promise<void> {
    const { code, output } = await this.run(["whoami", "--json"]);
    const read = login.safeParse(jsonIn(output));
    if (!read.success) throw explained(code, output, []);
    const { loggedIn, accounts } = read.data;
    if (!loggedIn) throw explained(code, "not authenticated", []);
    if (this.settings.account !== null || accounts.length < 2) return;
    const list = accounts.map(({ id, name }) => `  ${id}  ${name}`).join("\n");
    throw new StartError(`The login has several accounts. Give one of them with --account:\n${list}`);
  }

  /** Bundles the Worker without sending it. @returns sizes as wrangler writes them, e.g. `263.1 KiB` */
  async rehearse(): Promise<{ total: string; gzip: string }> {
    return this.withFolder(async (folder) => {
      const { code, output } = await this.run([...this.deployment(), "--dry-run", "--outdir", join(folder, "bundle")]);
      const sizes = /Total Upload: ([\d.]+ \w+) \/ gzip: ([\d.]+ \w+)/.exec(output);
      if (code !== 0 || !sizes) throw explained(code, output, []);
      return { total: String(sizes[1]), gzip: String(sizes[2]) };
    });
  }

  /**
   * Deploys code, secrets, cron trigger and Durable Objects as one version: none of them is seen without the others.
   * @returns the address at which it serves
   */
  async deploy(secrets: Record<string, string>): Promise<string> {
    return this.withFolder(async (folder) => {
      const secretsFile = join(folder, "secrets.json");
      await writeFile(secretsFile, JSON.stringify(secrets), { mode: 0o600, flag: "wx" });
      const results = join(folder, "results");
      const args = [...this.deployment(), "--secrets-file", secretsFile];
      const { code, output } = await this.run(args, { WRANGLER_OUTPUT_FILE_PATH: results });
      if (code !== 0) throw explained(code, output, Object.values(secrets));
      return this.addressIn(await readFile(results, "utf8").catch(() => ""));
    });
  }

  private deployment(): string[] {
    const { name, domain } = this.settings;
    const config = join(ROOT, "wrangler.jsonc");
    return ["deploy", "--config", config, "--name", name, "--minify", ...(domain === null ? [] : ["--domain", domain])];
  }

  private addressIn(results: string): string {
    if (this.settings.domain !== null) return `https://${this.settings.domain}`;
    const lines = results.split("\n").map((line) => deployed.safeParse(jsonIn(line)));
    const targets = lines.flatMap((line) => (line.success ? line.data.targets : []));
    const address = targets.find((target) => /^https?:\/\/\S+$/.test(target));
    if (address !== undefined) return address.replace(/\/$/, "");
    throw new StartError(
      "The Worker was deployed, but has no address: the account's workers.dev is off. Give a host name with --domain.",
    );
  }

  private async run(args: string[], results: Record<string, string> = {}): Promise<{ code: number; output: string }> {
    const [program, ...first] = this.program;
    const env = { ...wranglerEnv(this.world.env, this.settings.account), ...results };
    const child = spawn(program, [...first, ...args], { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
    const stop = () => void child.kill("SIGTERM");
    this.world.interrupted.addEventListener("abort", stop, { once: true });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output = (output + text).slice(-OUTPUT_CHARS_MAX);
      });
    }
    try {
      const [code] = (await once(child, "close")) as [number | null];
      this.world.interrupted.throwIfAborted();
      return { code: code ?? 1, output };
    } finally {
      this.world.interrupted.removeEventListener("abort", stop);
    }
  }

  /** A folder that only its owner can read, gone afterwards. */
  private async withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(tmpdir(), "headrace-deploy-"));
    try {
      return await use(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

/** Wrangler gets our secrets by file alone: it would show its environment to what it starts, and to its log. */
function wranglerEnv(env: World["env"], account: string | null): NodeJS.ProcessEnv {
  const others = Object.entries(env).filter(([name]) => !name.startsWith("HEADRACE_"));
  return {
    ...Object.fromEntries(others),
    NO_COLOR: "1",
    WRANGLER_SEND_METRICS: "false",
    ...(account === null ? {} : { CLOUDFLARE_ACCOUNT_ID: account }),
  };
}

/** The JSON in a text that may say other things before it; undefined without any. */
function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1));
  } catch {
    return undefined;
  }
}
