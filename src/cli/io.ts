import { setTimeout as delay } from "node:timers/promises";
import { readHidden } from "./hidden-input.ts";
import { readText } from "./read-text.ts";
import { readShown } from "./shown-input.ts";

/** Where output goes. */
export interface Screen {
  write(text: string): void;
  readonly isTTY: boolean;
  /** Of a terminal; else a width at which nothing is cut. */
  readonly columns: number;
  readonly rows: number;
}

/** Where answers come from. */
export interface Keyboard {
  readonly isTTY: boolean;
  /** All of standard input, up to `charsMax` characters. */
  readAll(charsMax: number): Promise<string>;
  /** One line. `hidden`: not shown while it is typed. */
  ask(question: string, options: { hidden: boolean; signal: AbortSignal }): Promise<string>;
}

/** All that the program has of the world; tests hand it their own. Files are read and written directly. */
export interface Io {
  stdout: Screen;
  stderr: Screen;
  stdin: Keyboard;
  env: Record<string, string | undefined>;
  fetch: typeof fetch;
  /** ms since 1970. */
  now(): number;
  /** Ends early, without an error, when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Aborts at Ctrl-C, SIGTERM, or when the terminal is closed. A second one ends the process at once. */
  interrupted: AbortSignal;
  /**
   * Becomes Node with these arguments, the first of them a flag or a script: the same process with nothing left of this
   * program. Does not come back.
   */
  become(args: string[], env: Record<string, string | undefined>): void;
}

const WIDE = 10_000;

/** The process's own. */
export function processIo(): Io {
  // `headrace logs | head` closes our output early: that is no error.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
  // Nobody reads what is said beside it: what was asked for is done all the same, and a server goes on.
  process.stderr.on("error", () => {});
  const interruption = interruptions();
  return {
    stdout: screen(process.stdout),
    stderr: screen(process.stderr),
    stdin: { isTTY: process.stdin.isTTY === true, readAll, ask: askWith(interruption) },
    env: process.env,
    fetch,
    now: Date.now,
    sleep: async (ms, signal) => {
      await delay(ms, undefined, signal ? { signal } : {}).catch(() => {});
    },
    interrupted: interruption.signal,
    become(args, env) {
      if (!process.execve) throw new Error("This system cannot run it in place of this program.");
      process.execve(process.execPath, [process.execPath, ...process.execArgv, ...args], { ...process.env, ...env });
    },
  };
}

function screen(stream: NodeJS.WriteStream): Screen {
  return {
    write: (text) => void stream.write(text),
    get isTTY() {
      return stream.isTTY === true;
    },
    get columns() {
      return stream.columns ?? WIDE;
    },
    get rows() {
      return stream.rows ?? WIDE;
    },
  };
}

function interruptions(): AbortController {
  const controller = new AbortController();
  for (const [name, number] of [
    ["SIGHUP", 1],
    ["SIGINT", 2],
    ["SIGTERM", 15],
  ] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(128 + number);
      controller.abort(new Error(`interrupted by ${name}`));
    });
  }
  return controller;
}

async function readAll(charsMax: number): Promise<string> {
  try {
    return await readText(process.stdin, charsMax);
  } catch (error) {
    throw new Error(`Standard input cannot be used: ${(error as Error).message}.`, { cause: error });
  }
}

function askWith(interruption: AbortController): Keyboard["ask"] {
  // A terminal that is read key by key sends no signal. One that was sent to ourselves would come too late to be the
  // reason why there is no answer.
  const interrupt = () => interruption.abort(new Error("interrupted by Ctrl-C"));
  // The question goes to standard error, so that standard output stays the command's answer.
  return (question, { hidden, signal }) =>
    hidden
      ? readHidden(process.stdin, process.stderr, question, signal, interrupt)
      : readShown({ input: process.stdin, output: process.stderr }, question, signal, interrupt);
}
