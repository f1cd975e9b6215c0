import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Fault } from "./fault.ts";
import type { CrashServerOptions, CrashServerSays } from "./server.ts";

const SERVER = fileURLToPath(new URL("server.ts", import.meta.url));

/** Where the data, the key and the compiled code of a server lie, all below one folder. */
export function serverFiles(folder: string): { dataDir: string; keyFile: string } {
  return { dataDir: join(folder, "data"), keyFile: join(folder, "key") };
}

/** Root makes the namespace itself; anyone else is root in a user namespace of their own. */
const UNSHARE = ["unshare", "--mount", ...(process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"])];

/** A control plane in a process of its own, which a fault ends or stops. */
export class CrashServer {
  readonly child: ChildProcess;
  /** Resolves with the signal that ended it, null when it ended by itself. */
  readonly ended: Promise<NodeJS.Signals | null>;
  url = "";
  adminToken: string | null = null;
  private output = "";

  private constructor(options: CrashServerOptions, codeCache: string, mounts: string | null) {
    const shell = mounts === null ? [] : [...UNSHARE, "sh", "-ec", `${mounts}\nexec "$0" "$@"`, process.execPath];
    const [program = process.execPath, ...before] = shell;
    this.child = fork(SERVER, [JSON.stringify(options)], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      env: { ...process.env, NODE_COMPILE_CACHE: codeCache, NODE_OPTIONS: "", DATA: options.dataDir },
      execPath: program,
      execArgv: before,
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.output = (this.output + chunk.toString()).slice(-20_000);
      });
    }
    this.ended = once(this.child, "exit").then(([, signal]) => signal as NodeJS.Signals | null);
  }

  /**
   * Starts one, and returns when it serves or is gone.
   * @param codeCache a folder that all servers of a test may share, so that their code is compiled once
   * @param options.mounts shell commands that mount, in a namespace of the server's own; `$DATA` is its data folder
   * @param options.fault hits it at a write from the start on
   * @throws Error with what it printed when it ended by itself
   */
  static async start(
    folder: string,
    codeCache: string,
    { mounts = null, fault = null }: { mounts?: string | null; fault?: Fault | null } = {},
  ): Promise<CrashServer> {
    const server = new CrashServer({ ...serverFiles(folder), fault }, codeCache, mounts);
    const said = await Promise.race([once(server.child, "message"), server.ended]);
    if (Array.isArray(said)) Object.assign(server, said[0] as CrashServerSays);
    else if (said === null) throw new Error(`the server did not start: ${server.output}`);
    return server;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** A path as the server sees it, whatever is mounted there for it alone. */
  seenAt(path: string): string {
    return `/proc/${this.child.pid}/root${path}`;
  }

  /** Hits it at a write from now on. */
  async set(fault: Fault): Promise<void> {
    await this.tell(fault);
  }

  /** Writes that it began since the fault was set; null when it is gone. */
  async writes(): Promise<number | null> {
    const said = await this.tell("count");
    return Array.isArray(said) ? (said[0] as { writes: number }).writes : null;
  }

  private tell(what: Fault | "count"): Promise<unknown> {
    const answer = Promise.race([once(this.child, "message"), this.ended]);
    // A channel whose other end is gone says so here; `ended` tells.
    this.child.send(what, () => {});
    return answer;
  }

  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.ended;
  }
}
