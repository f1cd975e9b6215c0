import { dirname } from "node:path";
import type { Command } from "commander";
import type * as z from "zod";
import type { applyRequest } from "../control/views/views.ts";
import { parseConfig, passedVariables, whyNotApplied } from "../spec/index.ts";
import type { ParsedConfig, ServiceSpec } from "../spec/types.ts";
import { readConfig } from "./config-file.ts";
import { argumentsOf, type Meaning, type MeaningFlags, meaningOf, withMeaningFlags } from "./config-flags.ts";
import type { Context } from "./context.ts";
import { showIssue } from "./diagnostics.ts";
import { EXIT } from "./exit-codes.ts";
import { CliError } from "./failure.ts";
import type { Io } from "./io.ts";
import { type PackedFile, packFiles } from "./pack-files.ts";
import { passedEnv, readEnvFile } from "./pass-env.ts";
import { colorsFor, oneLine } from "./style.ts";

/** What `plan` and `apply` are told about a configuration on the command line. */
export interface ConfigFlags extends MeaningFlags {
  file: string;
  envFile?: string;
}

/** A configuration that was read and checked here, and what the server is sent of it. */
export interface ConfigRequest {
  request: z.input<typeof applyRequest>;
  spec: ServiceSpec;
  /** What the file names under `files`; uploaded before it is applied. */
  files: PackedFile[];
}

/** Adds the flags that say which configuration is meant, and what it means; the same for every command that sends one. */
export function withConfigFlags(command: Command): Command {
  return withMeaningFlags(command.requiredOption("-f, --file <file>", "the configuration; - for standard input"))
    .option(
      "--env-file <file>",
      "holds values that neither -e nor your environment has; .env beside the file if left out",
    )
    .argument("[args...]", "behind `--`: what stands for ${{ run.args }}");
}

/** A configuration file that is valid, with what its flags make of it. */
export interface ConfigFile {
  text: string;
  parsed: Extract<ParsedConfig, { ok: true }>;
  meaning: Meaning;
  /** What stood behind `--`. */
  args: string[];
}

/**
 * Reads what the flags name.
 * @param words the words of the command line that belong to no flag
 * @param consequence ends the error of an invalid file, e.g. "Nothing was applied."
 * @throws CliError naming each problem with its place
 */
export async function readConfigFile(
  { io, wordsBehindDashes }: Context,
  flags: ConfigFlags,
  words: string[],
  consequence: string,
): Promise<ConfigFile> {
  const { file } = flags;
  const args = argumentsOf(words, wordsBehindDashes);
  const text = await readConfig(io, file);
  const meaning = await meaningOf(io, file, flags, args);
  const { options, profiles } = meaning;
  const parsed = parseConfig(text, file, options);
  if (parsed.ok) return { text, parsed, meaning, args };
  const colors = colorsFor(io.stderr, io.env);
  const problems = parsed.issues
    .map((issue) => `\n${showIssue({ file, text }, issue, colors, profiles ?? undefined)}`)
    .join("");
  throw new CliError(EXIT.failed, `${file} is invalid.${problems}`, consequence);
}

/** What the server is sent of a service. @throws CliError when the file describes something else, or a variable has no value */
export async function requestOf(
  io: Io,
  flags: ConfigFlags,
  { text: config, parsed, meaning, args }: ConfigFile,
  consequence: string,
): Promise<ConfigRequest> {
  const { file } = flags;
  if (parsed.type !== "service") {
    throw new CliError(EXIT.failed, `${file} is valid and not applied. ${whyNotApplied(parsed)}`, consequence);
  }
  const { spec } = parsed;
  const { assignments, profiles } = meaning;
  const envFile = await readEnvFile(file, flags.envFile ?? null);
  const env = passedEnv(passedVariables(spec), { assignments, env: io.env, envFile });
  const overrides = assignments.map(({ name }) => name);
  const files = await packFiles(spec.files, file === "-" ? "." : dirname(file));
  const { cyan } = colorsFor(io.stderr, io.env);
  for (const note of files.flatMap(({ notes }) => notes)) io.stderr.write(`${cyan("note:")} ${oneLine(note)}.\n`);
  const named = files.map(({ localPath, sha256, archive }) => ({ localPath, sha256, bytes: archive.byteLength }));
  const request = { config, file, env, overrides, args, files: named, ...(profiles === null ? {} : { profiles }) };
  return { request, spec, files };
}
