import { resolve, sep } from "node:path";
import { agentSetting } from "../control/hosts/agent-setting.ts";
import { databaseAddress } from "../node/remote-database.ts";
import { type ServerSettings, serverSettings } from "../node/settings.ts";
import { StartError } from "../node/start-error.ts";
import { ROOT } from "./root.ts";

/** What was given on the command line. */
export interface DeployFlags {
  name?: string | undefined;
  account?: string | undefined;
  domain?: string | undefined;
  databaseUrl?: string | undefined;
}

/** Where the Worker goes, and what it is given. */
export interface DeploySettings {
  /** The Worker's name in the account. */
  name: string;
  /** null = the only one that the login has. */
  account: string | null;
  /** A host name of the account's own zones; null = the one of workers.dev. */
  domain: string | null;
  database: { url: string; token: string | null };
  /** As in the settings of the server: HEADRACE_KEY, else a file. */
  key: string | null;
  keyFile: string;
  dataDir: string;
  /** As in the settings of the server: for groups that name no image. */
  images: ServerSettings["images"];
  /** `HEADRACE_AGENT_URL`: the build of the agent that hosts get, and where; null = they keep what they have. */
  agentUrl: string | null;
  /** A wrangler in place of the checkout's own; null = that one. */
  wrangler: string | null;
  warnings: string[];
}

const DEFAULT_NAME = "headrace";
/** A name is a label of the host name on workers.dev. */
const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** Account ids as Cloudflare shows them. */
const ACCOUNT = /^[0-9a-f]{32}$/;
const DOMAIN = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** Hosts that only this machine or its network reaches. */
const NEARBY = /^(localhost|127\.|10\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.|\[::1\]|\[f[cd])/;

/**
 * A flag, else its environment variable, else the default. The database's token and the key have no flags: other users
 * of the machine could read them there.
 *
 * @throws StartError naming what is missing or cannot be used
 */
export function deploySettings(
  flags: DeployFlags,
  env: Record<string, string | undefined>,
  home: string,
): DeploySettings {
  const { remote, key, keyFile, dataDir, images } = serverSettings({ databaseUrl: flags.databaseUrl }, env, home);
  if (remote === null) {
    throw new StartError(
      "The Worker needs a database on a libSQL server. Give its address in HEADRACE_DATABASE_URL (or --database-url) " +
        "and its token in HEADRACE_DATABASE_TOKEN. docs/edge.md says where to get one.",
    );
  }
  if (`${keyFile}${sep}`.startsWith(ROOT)) {
    throw new StartError(
      `The key file ${keyFile} lies in the checkout, from where it is easily published. ` +
        "Move it elsewhere and name it with HEADRACE_KEY_FILE.",
    );
  }
  const url = databaseAddress(remote.url);
  return {
    name: matching("--name", flags.name || DEFAULT_NAME, NAME, "small letters, digits and dashes, 63 at most"),
    account: optional("--account", flags.account || env.CLOUDFLARE_ACCOUNT_ID, ACCOUNT, "32 hexadecimal digits"),
    domain: optional("--domain", flags.domain, DOMAIN, "a host name like headrace.example.com"),
    database: { url: remote.url, token: remote.token },
    key,
    keyFile,
    dataDir,
    images,
    agentUrl: agentUrl(env.HEADRACE_AGENT_URL),
    wrangler: env.HEADRACE_WRANGLER ? resolve(env.HEADRACE_WRANGLER) : null,
    warnings: warningsAbout(url),
  };
}

function agentUrl(written: string | undefined): string | null {
  if (!written) return null;
  try {
    agentSetting({ HEADRACE_AGENT_URL: written });
    return written;
  } catch (error) {
    throw new StartError((error as Error).message);
  }
}

function warningsAbout({ protocol, hostname }: URL): string[] {
  if (NEARBY.test(hostname)) return [`${hostname} is an address that Cloudflare's machines do not reach.`];
  if (protocol === "http:")
    return ["The database's address is not encrypted: its token crosses the network in the clear."];
  return [];
}

function optional(flag: string, written: string | undefined, pattern: RegExp, like: string): string | null {
  return written ? matching(flag, written, pattern, like) : null;
}

function matching(flag: string, written: string, pattern: RegExp, like: string): string {
  if (pattern.test(written)) return written;
  throw new StartError(`${flag} is ${JSON.stringify(written)}: it must be ${like}.`);
}
