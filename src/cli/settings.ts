import { chmod, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import * as z from "zod";
import { EXIT } from "./exit-codes.ts";
import { CliError } from "./failure.ts";

const settingsFile = z.object({
  /** The server that is meant when none is named. */
  server: z.string().nullable().default(null),
  /** By base URL. */
  servers: z.record(z.string(), z.object({ token: z.string(), project: z.string() })).default({}),
});

/** What the user's config file holds: servers with a token for each. */
export type Settings = z.infer<typeof settingsFile>;

/** Whom a command talks to. */
export interface Target {
  server: string;
  token: string;
  project: string;
}

type Env = Record<string, string | undefined>;

/** @throws CliError when nothing says where the user's files are */
export function settingsPath(env: Env): string {
  const base = env.XDG_CONFIG_HOME;
  // The XDG rules: a relative path is to be ignored.
  return join(base?.startsWith("/") ? base : join(homeFolder(env), ".config"), "headrace", "config.json");
}

/** A user that the system does not know, as containers have them, has no home unless HOME says so. */
function homeFolder(env: Env): string {
  if (env.HOME) return env.HOME;
  try {
    return homedir();
  } catch {
    throw new CliError(EXIT.failed, "This user has no home folder.", "Set HOME, or XDG_CONFIG_HOME, to a folder.");
  }
}

/** @returns empty settings when there is no file */
export async function readSettings(env: Env): Promise<Settings> {
  const path = settingsPath(env);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return settingsFile.parse({});
    throw new CliError(EXIT.failed, `Cannot read ${path}: ${(error as Error).message}.`);
  }
  try {
    return settingsFile.parse(JSON.parse(text));
  } catch {
    // The error would quote the file, which holds tokens.
    throw new CliError(EXIT.failed, `${path} is not a config file of headrace.`, "Remove it, and log in again.");
  }
}

/** Writes the file for its owner alone (0600), whole or not at all. @returns its path */
export async function writeSettings(env: Env, settings: Settings): Promise<string> {
  const path = settingsPath(env);
  const temporary = `${path}.${process.pid}`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(temporary, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600 });
    // An old file of this name, left by a crash, would have kept its mode.
    await chmod(temporary, 0o600);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw new CliError(
      EXIT.failed,
      `Cannot write ${path}: ${(error as Error).message}.`,
      "XDG_CONFIG_HOME names another folder; or set HEADRACE_SERVER and HEADRACE_TOKEN for each command.",
    );
  }
  return path;
}

/**
 * Whom to talk to: HEADRACE_SERVER, HEADRACE_TOKEN and HEADRACE_PROJECT before the config file. A token of the file is
 * used for its own server only.
 * @throws CliError saying what is missing and how to give it
 */
export async function findTarget(env: Env): Promise<Target> {
  const settings = await readSettings(env);
  const server = env.HEADRACE_SERVER ? serverUrl(env.HEADRACE_SERVER, "HEADRACE_SERVER") : settings.server;
  if (server === null) {
    throw new CliError(
      EXIT.usage,
      "It is not known which server is meant.",
      "Log in with `headrace login --server URL`, or set HEADRACE_SERVER and HEADRACE_TOKEN.",
    );
  }
  const known = settings.servers[server];
  const token = env.HEADRACE_TOKEN || known?.token;
  if (token === undefined) {
    throw new CliError(
      EXIT.unauthorized,
      `There is no token for ${server}.`,
      `Log in with \`headrace login --server ${server}\`, or set HEADRACE_TOKEN.`,
    );
  }
  return { server, token, project: env.HEADRACE_PROJECT || known?.project || "main" };
}

/** A base URL in the one form that settings know it by. @param where names its source in the error */
export function serverUrl(text: string, where: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) {
    throw new CliError(EXIT.usage, `${where} is not the address of a server.`, "Write it like http://127.0.0.1:3000.");
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
}

/** Adds a server; it becomes the one meant when none is named if `makeDefault`, or if there is none yet. */
export function withServer(settings: Settings, target: Target, makeDefault: boolean): Settings {
  const { server, token, project } = target;
  return {
    server: makeDefault ? server : (settings.server ?? server),
    servers: { ...settings.servers, [server]: { token, project } },
  };
}
