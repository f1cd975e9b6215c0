import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { findProgram } from "../../../agents/host/programs.ts";
import { ApiError, createClient, whoAmI } from "../../api/client.ts";
import { type AddCommand, countFlag, printLine } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { CliError } from "../failure.ts";
import type { Io } from "../io.ts";
import { interruption, keepToken, PORT_MAX, type ServerFlags, startLocalServer } from "../local-server.ts";
import { readSettings } from "../settings.ts";

/** There is one host, and whoever runs this is the one who says what it runs. */
const OWN_MACHINE = ["--address", "127.0.0.1", "--job-user", "same", "--stop-jobs-on-exit", "--end-with-input"];

/** The agent joins within seconds or not at all. */
const JOIN_WITHIN_S = 300;

/** The agent gives its jobs 15 s; one that takes much longer hangs. */
const AGENT_STOPS_WITHIN_MS = 60_000;

export const addDev: AddCommand = (program, { io }) => {
  program
    .command("dev")
    .description("Run a control plane and a host on this machine, to try things; Ctrl-C ends both and their jobs")
    .option("--data-dir <folder>", "where the state is kept (as `headrace server`); the agent's is beside it")
    .option("--port <port>", "the port to listen on at 127.0.0.1 (default 3000)", countFlag(0, PORT_MAX))
    .option("--declare <what>", "what the host has, over what is found, e.g. gpu=H200:8 (as `headrace agent`)")
    .addHelpText(
      "after",
      "\nExamples:\n  headrace dev\n  headrace apply -f examples/prefill-decode.yml   # in another terminal",
    )
    .action(async ({ declare, ...serverFlags }: ServerFlags & { declare?: string }) => {
      const dataDir = serverDataDir(io.env, serverFlags.dataDir);
      const server = await startLocalServer(io, { ...serverFlags, dataDir, host: "127.0.0.1" });
      try {
        const joinToken = await makeJoinToken(io, server.url, dataDir);
        const flags = declare === undefined ? [] : ["--declare", declare];
        // A copy of the server's folder must not hold what opens its hosts, so the agent's is not inside.
        await withAgent(io, server.url, `${dataDir}-agent`, joinToken, flags);
      } finally {
        await server.close();
      }
    });
};

/** Runs the agent beside the server until Ctrl-C. Its jobs end with it, while the server still hears of it. */
async function withAgent(io: Io, server: string, dataDir: string, joinToken: string, flags: string[]): Promise<void> {
  const { file, compileCache } = findProgram("agent", dataDir);
  const args = ["--server", server, "--data-dir", dataDir, ...OWN_MACHINE, ...flags];
  // Jobs run as the same user as the agent, who could read these of it.
  const { HEADRACE_TOKEN: _token, HEADRACE_KEY: _key, ...env } = io.env;
  const agent = spawn(process.execPath, [...process.execArgv, file, ...args], {
    env: { ...env, HEADRACE_JOIN_TOKEN: joinToken, NODE_COMPILE_CACHE: compileCache },
    // Nothing is ever written: it ends with this process, however that ends.
    stdio: ["pipe", "inherit", "inherit"],
    // A group of its own: a terminal's Ctrl-C goes to all of ours, and the agent shall hear it once, from us.
    detached: true,
  });
  const ended = once(agent, "exit");
  printLine(
    io,
    "A host is joining. `headrace apply -f FILE` in another terminal runs something on it; Ctrl-C ends both.",
  );
  await Promise.race([interruption(io), ended]);
  if (!io.interrupted.aborted) {
    throw new CliError(
      EXIT.failed,
      `The agent ended (${agent.signalCode ?? `exit code ${agent.exitCode}`}); its log is above.`,
    );
  }
  printLine(io, "Stopping the jobs of this host ...");
  await stopAgent(agent, ended);
}

async function stopAgent(agent: ChildProcess, ended: Promise<unknown>): Promise<void> {
  const hangs = setTimeout(() => agent.kill("SIGKILL"), AGENT_STOPS_WITHIN_MS);
  agent.kill("SIGTERM");
  await ended;
  clearTimeout(hangs);
}

/** Made at each start; an agent that has joined before keeps its credential and leaves the token unused. */
async function makeJoinToken(io: Io, server: string, dataDir: string): Promise<string> {
  const token = await tokenFor(io, server, dataDir);
  const client = createClient({ server, token, project: "main", fetch: io.fetch, signal: io.interrupted });
  return (await client.createToken({ kind: "join", name: "dev", expiresInS: JOIN_WITHIN_S })).token;
}

/**
 * The token that the user's config file has for this server. At another port than before it has none, and with another
 * data folder it is for another server: whoever may start `dev` on a folder may make one in it.
 */
async function tokenFor(io: Io, server: string, dataDir: string): Promise<string> {
  const known = (await readSettings(io.env)).servers[server]?.token;
  if (known !== undefined && (await isAccepted(io, server, known))) return known;
  const { createLocalToken } = await import("../../node.ts");
  const { token } = await createLocalToken(dataDir, "dev");
  printLine(io, "An admin's token was made for this address.");
  await keepToken(io, server, token);
  return token;
}

async function isAccepted(io: Io, server: string, token: string): Promise<boolean> {
  try {
    return (await whoAmI({ server, token, fetch: io.fetch, signal: io.interrupted })).kind === "admin";
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return false;
    throw error;
  }
}

/** The server's own default, so that `dev` and `server` are the same one. */
function serverDataDir(env: Io["env"], flag: string | undefined): string {
  const base = env.XDG_DATA_HOME?.startsWith("/") ? env.XDG_DATA_HOME : join(env.HOME || homedir(), ".local/share");
  return resolve(flag || env.HEADRACE_DATA_DIR || join(base, "headrace"));
}
