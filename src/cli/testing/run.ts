import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApp } from "../../api/app.ts";
import type { InstallFolder } from "../../api/routes/install.ts";
import { FakeControl, TOKENS } from "../../api/testing/fake-control.ts";
import type { Control } from "../../control/types.ts";
import type { ExitCode } from "../exit-codes.ts";
import type { Io, Screen } from "../io.ts";
import { main } from "../main.ts";

export const SERVER = "http://headrace.test";

export interface Outcome {
  code: ExitCode;
  out: string;
  err: string;
}

/** The program in this process, with a home of its own, against the real API over a fake control or a real one. */
export class Cli {
  readonly control = new FakeControl();
  /** What the API serves instead of the fake, if anything. */
  served: Control | null = null;
  /** What the API gives out to install agents from, if anything. */
  install: InstallFolder | undefined;
  readonly home: string;
  env: Record<string, string | undefined>;
  /** Whether standard output and error are a terminal, and what is typed at it. */
  terminal = false;
  typed: string[] = [];
  stdin = "";
  /** The clock: a sleep moves it. */
  time = 1_700_000_000_000;
  /** Called at each sleep, so that a test can let things happen meanwhile. */
  onSleep: () => void | Promise<void> = () => {};
  interrupt = new AbortController();
  /** Taken by the next requests instead of an answer. */
  readonly faults: Error[] = [];
  readonly requests: Request[] = [];
  /** What the program became last: arguments and environment of Node. */
  became: string[] = [];
  becameWith: Record<string, string | undefined> = {};
  /** Standard output so far of the run in progress. */
  out = "";

  private constructor(home: string) {
    this.home = home;
    this.env = {
      HOME: home,
      XDG_CONFIG_HOME: join(home, "config"),
      HEADRACE_SERVER: SERVER,
      HEADRACE_TOKEN: TOKENS.admin,
    };
  }

  static async create(): Promise<Cli & AsyncDisposable> {
    const cli = new Cli(await mkdtemp(join(tmpdir(), "headrace-cli-")));
    return Object.assign(cli, {
      [Symbol.asyncDispose]: () => rm(cli.home, { recursive: true, force: true }),
    });
  }

  async run(...argv: string[]): Promise<Outcome> {
    this.out = "";
    let err = "";
    const app = createApp(this.served ?? this.control, {
      version: "0.0.0-test",
      report: () => {},
      install: this.install,
    });
    const screen = (write: (text: string) => void): Screen => ({
      write,
      isTTY: this.terminal,
      columns: this.terminal ? 100 : 10_000,
      rows: 40,
    });
    const io: Io = {
      stdout: screen((text) => {
        this.out += text;
      }),
      stderr: screen((text) => {
        err += text;
      }),
      stdin: {
        isTTY: this.terminal,
        readAll: async () => this.stdin,
        ask: async (question) => {
          err += question;
          const answer = this.typed.shift();
          if (answer === undefined) throw new Error(`Nothing is typed at ${JSON.stringify(question)}.`);
          return answer;
        },
      },
      env: this.env,
      fetch: async (input, init) => {
        const request = new Request(input, init);
        this.requests.push(request);
        const fault = this.faults.shift();
        if (fault) throw fault;
        return app.fetch(request);
      },
      now: () => this.time,
      sleep: async (ms) => {
        this.time += ms;
        await this.onSleep();
      },
      become: (args, env) => {
        this.became = args;
        this.becameWith = env;
      },
      interrupted: this.interrupt.signal,
    };
    const code = await main(argv, io);
    return { code, out: this.out, err };
  }
}
