import { join, resolve } from "node:path";
import type { ImageSettings } from "../adapters/index.ts";
import { type ImageVariables, imageSettings } from "../control/apply/image-settings.ts";
import { DirectNetworks } from "./direct/networks.ts";
import { StartError } from "./start-error.ts";

/** Where the server keeps its state and listens. Every path is absolute. */
export interface ServerSettings {
  /** Holds the embedded database. */
  dataDir: string;
  /** A libSQL server that is used in place of the embedded database; null = that one. */
  remote: { url: string; token: string | null } | null;
  host: string;
  /** 0 = any free one. */
  port: number;
  /** `HEADRACE_KEY`: the keys that seal secrets, in place of the key file. */
  key: string | null;
  /** Must not lie in `dataDir`: a copy of the one must not open the other. */
  keyFile: string;
  /** `--direct`, `HEADRACE_DIRECT_FLEETS`: where the request path may connect to replicas itself. Nowhere by default. */
  direct: DirectNetworks;
  /** `HEADRACE_NODE_URL`: where hosts get Node, with `{arch}` in it; null = from here. */
  nodeUrl: string | null;
  /** `HEADRACE_IMAGE_BASE` and so on: for groups that name no image. None by default: those run as processes. */
  images: ImageSettings;
}

/** What was given on the command line. */
export interface ServerFlags {
  dataDir?: string | undefined;
  databaseUrl?: string | undefined;
  host?: string | undefined;
  port?: number | string | undefined;
  keyFile?: string | undefined;
  direct?: string | undefined;
}

const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_PORT = 3000;

/**
 * The server's settings: a flag, else its environment variable, else the default. An empty variable counts as unset.
 *
 * @param home the user's home folder
 * @throws StartError naming the flag or variable that cannot be used
 */
export function serverSettings(
  flags: ServerFlags,
  env: Record<string, string | undefined>,
  home: string,
): ServerSettings {
  // The XDG rules: a relative path in these two variables is to be ignored.
  const base = (name: string, fallback: string) => (env[name]?.startsWith("/") ? env[name] : join(home, fallback));
  return {
    dataDir: resolve(flags.dataDir || env.HEADRACE_DATA_DIR || join(base("XDG_DATA_HOME", ".local/share"), "headrace")),
    remote: remote(flags, env),
    host: flags.host || env.HEADRACE_LISTEN_HOST || DEFAULT_HOST,
    port: port(flags, env),
    key: env.HEADRACE_KEY || null,
    keyFile: resolve(
      flags.keyFile || env.HEADRACE_KEY_FILE || join(base("XDG_CONFIG_HOME", ".config"), "headrace", "key"),
    ),
    direct: flags.direct
      ? DirectNetworks.parse(flags.direct, "--direct")
      : DirectNetworks.parse(env.HEADRACE_DIRECT_FLEETS ?? "", "HEADRACE_DIRECT_FLEETS"),
    nodeUrl: nodeUrl(env.HEADRACE_NODE_URL),
    images: images(env),
  };
}

/** A data folder on the command line means the embedded database, whatever the environment says. */
function remote(flags: ServerFlags, env: Record<string, string | undefined>): ServerSettings["remote"] {
  if (flags.dataDir && flags.databaseUrl) {
    throw new StartError("--data-dir and --database-url exclude each other: the state is in the one or in the other.");
  }
  const url = flags.databaseUrl || (flags.dataDir ? "" : env.HEADRACE_DATABASE_URL);
  return url ? { url, token: env.HEADRACE_DATABASE_TOKEN || null } : null;
}

function nodeUrl(written: string | undefined): string | null {
  if (!written) return null;
  if (/^https?:\/\/[!-~]+$/.test(written) && written.includes("{arch}")) return written;
  throw new StartError(
    "HEADRACE_NODE_URL is no address of an archive for each kind of machine: write it like " +
      "https://mirror.example.com/node-v{version}-linux-{arch}.tar.gz.",
  );
}

function images(env: Record<string, string | undefined>): ImageSettings {
  try {
    return imageSettings(env as ImageVariables);
  } catch (error) {
    throw new StartError((error as Error).message);
  }
}

function port(flags: ServerFlags, env: Record<string, string | undefined>): number {
  if (flags.port !== undefined) return parsePort("--port", String(flags.port));
  // Not HEADRACE_PORT: that is the port of a replica, in the environment of jobs.
  if (env.HEADRACE_LISTEN_PORT) return parsePort("HEADRACE_LISTEN_PORT", env.HEADRACE_LISTEN_PORT);
  return DEFAULT_PORT;
}

function parsePort(where: string, written: string): number {
  const value = /^\d{1,5}$/.test(written) ? Number(written) : Number.NaN;
  if (value >= 0 && value <= 65535) return value;
  throw new StartError(`${where} is "${written}", which is not a port: give a number from 0 (any free one) to 65535.`);
}
