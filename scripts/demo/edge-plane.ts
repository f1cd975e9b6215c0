import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { firstStart } from "../../src/node/first-start.ts";
import { migrateRemote } from "../../src/node/remote-database.ts";
import { createStore } from "../../src/store/libsql.ts";
import { LibsqlServer } from "../libsql-server/server.ts";
import { prepareWorkerd } from "../workerd/workerd.ts";
import { DemoError, type DemoPlane, firstToken } from "./control-plane.ts";

/** As the Worker's cron trigger is set. */
const CRON_MS = 60_000;
/** A Worker serves within a second of its start; a slow disk may take longer the first time. */
const START_WITHIN_MS = 30_000;
/** Of what workerd says, for the message of a start that fails. */
const SAID_CHARS_MAX = 4_000;

/** The control plane as a Worker on plain workerd, with the three things that it needs beside it. */
export interface EdgePlane extends DemoPlane {
  /** The libSQL server with the state; it is in this process. */
  databaseUrl: string;
}

/** Starts what the platform provides otherwise: a database, workerd, and whoever rings the cron trigger. */
export async function startOnWorkerd(folder: string, port: number): Promise<EdgePlane> {
  const database = await LibsqlServer.start(join(folder, "edge.db"));
  try {
    const token = await prepareDatabase(database.url);
    const cronPort = await freePort();
    const place = { port, cronPort, databaseUrl: database.url, version: "demo" };
    const workerd = startWorkerd(await prepareWorkerd(join(folder, "workerd"), place));
    const url = `http://127.0.0.1:${port}`;
    try {
      await Promise.race([untilHealthy(url), workerd.failed]);
    } catch (error) {
      await workerd.stop();
      throw error;
    }
    const cron = setInterval(() => ring(cronPort), CRON_MS);
    return {
      url,
      token,
      databaseUrl: database.url,
      async close() {
        clearInterval(cron);
        await workerd.stop();
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** What `headrace deploy edge` does before it deploys. @returns the first admin's token */
async function prepareDatabase(url: string): Promise<string> {
  const store = createStore(await migrateRemote(url, null));
  try {
    return firstToken(await firstStart(store, Date.now()));
  } finally {
    await store.close();
  }
}

function startWorkerd([program, ...args]: [string, ...string[]]) {
  const secrets = { HEADRACE_KEY: randomBytes(32).toString("base64url"), HEADRACE_DATABASE_TOKEN: "" };
  // In a group of its own, so that Ctrl-C reaches the demo alone, which ends things in their order.
  const child = spawn(program, args, { env: secrets, stdio: ["ignore", "ignore", "pipe"], detached: true });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-SAID_CHARS_MAX);
  });
  const failed = new Promise<never>((_, reject) => {
    child.once("error", (error) => reject(new DemoError(`workerd does not start: ${error.message}`)));
    child.once("exit", (code) => reject(new DemoError(`workerd ended with exit code ${code}:\n${said}`)));
  });
  failed.catch(() => {
    // It ends in the clean-up too; here only an end before it serves matters.
  });
  return { failed, stop: () => ended(child) };
}

/** Asked to end, workerd would wait until every link and every stream has ended by itself. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

async function untilHealthy(url: string): Promise<void> {
  const deadline = performance.now() + START_WITHIN_MS;
  for (;;) {
    const answer = await fetch(`${url}/health`).catch(() => null);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    if (performance.now() > deadline)
      throw new DemoError(`the Worker does not serve within ${START_WITHIN_MS / 1_000} s`);
    await delay(50);
  }
}

/** A ring that is lost is made up for by the next. */
function ring(cronPort: number): void {
  fetch(`http://127.0.0.1:${cronPort}/`).then(
    (answer) => answer.body?.cancel(),
    () => {},
  );
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (typeof address !== "object" || !address) throw new DemoError("no port of 127.0.0.1 is free");
  return address.port;
}
