import type { Command } from "commander";
import type { ParseOptions } from "../spec/types.ts";
import { collect } from "./context.ts";
import { EXIT } from "./exit-codes.ts";
import { CliError } from "./failure.ts";
import type { Io } from "./io.ts";
import { type Assignment, readAssignments } from "./pass-env.ts";
import { findProfiles, type ProfilesFile } from "./profiles-file.ts";

/** What decides the meaning of a configuration besides its text; the same for every command that reads one. */
export interface MeaningFlags {
  env?: string[];
  profile?: string;
}

/** The flags' meaning for one configuration. */
export interface Meaning {
  assignments: Assignment[];
  profiles: ProfilesFile | null;
  options: ParseOptions;
}

export function withMeaningFlags(command: Command): Command {
  return command
    .option(
      "-e, --env <NAME=value>",
      "a variable for every group, whatever the file says of it; NAME alone takes it from your environment; may be given several times",
      collect,
    )
    .option("--profile <name>", "the profile to use of .dstack/profiles.yml, in place of its default one");
}

/** @param args what stood behind `--`, for `${{ run.args }}` */
export async function meaningOf(io: Io, file: string, flags: MeaningFlags, args: string[]): Promise<Meaning> {
  const assignments = readAssignments(flags.env ?? [], io.env);
  const profiles = await findProfiles(io, file, flags.profile ?? null);
  const options: ParseOptions = {
    args,
    env: assignments.map(({ name }) => name),
    ...(profiles === null ? {} : { profiles }),
  };
  return { assignments, profiles, options };
}

/**
 * Parts the words of a command line that are no flags into those before and those behind `--`.
 * @param behind how many stand behind it
 */
export function partWords(words: string[], behind: number): { before: string[]; args: string[] } {
  const at = words.length - behind;
  return { before: words.slice(0, at), args: words.slice(at) };
}

/** The arguments behind `--` of a command that takes no other words. @throws CliError for one in front of it */
export function argumentsOf(words: string[], behind: number): string[] {
  const { before, args } = partWords(words, behind);
  if (before.length === 0) return args;
  throw new CliError(
    EXIT.usage,
    `\`${before[0]}\` belongs to no flag.`,
    "The file is given with -f. What stands for ${{ run.args }} is written behind `--`.",
  );
}
