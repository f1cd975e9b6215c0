import { type Command, InvalidArgumentError } from "commander";
import { type Client, createClient } from "../api/client.ts";
import { readDuration } from "../spec/grammar/duration.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { CliError } from "./failure.ts";
import type { Io } from "./io.ts";
import { findTarget, type Target } from "./settings.ts";
import { jsonText } from "./style.ts";

/** What every command is handed. A command that ends in another way than `ok` or an error sets `exitCode`. */
export interface Context {
  io: Io;
  exitCode: ExitCode;
  /** How many words of the command line stand behind `--`. */
  wordsBehindDashes: number;
}

/** Adds a command to the program. */
export type AddCommand = (program: Command, context: Context) => void;

/** @throws CliError when no server or token is known */
export async function connect(io: Io): Promise<{ client: Client; target: Target }> {
  const target = await findTarget(io.env);
  const client = createClient({ ...target, fetch: io.fetch, signal: io.interrupted, sleep: io.sleep });
  return { client, target };
}

export function printLine(io: Io, line: string): void {
  io.stdout.write(`${line}\n`);
}

/** One document on one line, so that streams of them are NDJSON and tools need no mode. */
export function printJson(io: Io, value: unknown): void {
  printLine(io, jsonText(value));
}

/** For people, on standard error: progress, hints, and questions' surroundings. */
export function note(io: Io, line: string): void {
  io.stderr.write(`${line}\n`);
}

/**
 * Asks before something is changed. `yes` (`-y`) answers for the user.
 * @returns whether to go on
 * @throws CliError without a terminal to ask at
 */
export async function confirm(io: Io, question: string, yes: boolean): Promise<boolean> {
  if (yes) return true;
  if (!io.stdin.isTTY) {
    throw new CliError(EXIT.usage, "There is no terminal to ask at.", "Give -y to go on without being asked.");
  }
  const answer = await io.stdin.ask(`${question} [y/N] `, { hidden: false, signal: io.interrupted });
  return /^y(es)?$/i.test(answer.trim());
}

/**
 * The same for a command that is over where the user does not agree.
 * @param done what nothing was then, e.g. `deleted`
 */
export async function agreed(
  context: Context,
  flags: { yes?: boolean },
  done: string,
  question: string,
): Promise<boolean> {
  if (await confirm(context.io, question, flags.yes ?? false)) return true;
  note(context.io, `Nothing was ${done}.`);
  context.exitCode = EXIT.failed;
  return false;
}

/** Reads a flag's span as the configuration language does. @returns ms */
export function spanFlag(text: string): number {
  const read = readDuration(text);
  if (!read.ok) throw new InvalidArgumentError(read.problem);
  return read.value * 1_000;
}

/** Reads for how long a token shall be good: a second at least. @returns ms */
export function lifeFlag(text: string): number {
  const ms = spanFlag(text);
  if (ms === 0) throw new InvalidArgumentError("Nobody could use it in no time; write a longer one.");
  return ms;
}

/** Reads a flag's whole number. */
export function countFlag(min: number, max: number) {
  return (text: string): number => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Give a whole number from ${min} to ${max}.`);
  };
}

/** Collects a flag that may be given several times. */
export function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}
