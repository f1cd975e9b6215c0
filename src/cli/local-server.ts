import { note, printLine } from "./context.ts";
import type { Io } from "./io.ts";
import { readSettings, serverUrl, type Target, withServer, writeSettings } from "./settings.ts";

/** Flags of `server` and `dev`; the entry has the defaults. */
export interface ServerFlags {
  dataDir?: string;
  databaseUrl?: string;
  host?: string;
  port?: number;
  direct?: string;
}

export const PORT_MAX = 65_535;

export interface LocalServer {
  /** At which this machine reaches it. */
  url: string;
  close(): Promise<void>;
}

/**
 * Starts the control plane in this process. The token of a first start is shown, this once, and kept in the user's
 * config file; the server becomes the one meant by other commands unless another one is already.
 */
export async function startLocalServer(io: Io, flags: ServerFlags): Promise<LocalServer> {
  // Loaded only here: the other commands need none of it, and start four times as fast without.
  const { startServer } = await import("../node.ts");
  const server = await startServer(flags);
  try {
    const url = serverUrl(localUrl(server.url), "The server's address");
    printLine(io, `Headrace serves at ${url}`);
    // Shown before it is written: it exists nowhere else if that fails.
    const first = server.firstStart?.adminToken;
    if (first !== undefined) {
      printLine(io, `First start. The admin token, shown only now: ${first}`);
      await keepToken(io, url, first);
    }
    await sayWhichIsMeant(io, url);
    return { url, close: () => server.close() };
  } catch (error) {
    await server.close();
    throw error;
  }
}

/** Keeps an admin's token for a server of this machine in the user's config file, and says where. */
export async function keepToken(io: Io, server: string, token: string): Promise<void> {
  const target: Target = { server, token, project: "main" };
  const path = await writeSettings(io.env, withServer(await readSettings(io.env), target, false));
  printLine(io, `It is kept in ${path}.`);
}

async function sayWhichIsMeant(io: Io, url: string): Promise<void> {
  const meant = io.env.HEADRACE_SERVER || (await readSettings(io.env)).server;
  if (meant !== null && meant !== url) {
    note(io, `Commands still mean ${meant}; set HEADRACE_SERVER=${url} for this one.`);
  }
}

/** An address to listen on everywhere is none to connect to. */
function localUrl(url: string): string {
  return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:");
}

/** Resolves at Ctrl-C. */
export function interruption(io: Io): Promise<void> {
  if (io.interrupted.aborted) return Promise.resolve();
  return new Promise((resolve) => io.interrupted.addEventListener("abort", () => resolve(), { once: true }));
}
