import { dirname } from "node:path";
import type { Command } from "commander";
import type * as z from "zod";
import type { applyRequest } from "../control/views.ts";
import { parseConfig, whyNotApplied } from "../spec/index.ts";
import type { ParsedConfig, ServiceSpec } from "../spec/types.ts";
import { readConfig } from "./config-file.ts";
import { collect } from "./context.ts";
import { showIssue } from "./diagnostics.ts";
import { EXIT } from "./exit-codes.ts";
import { CliError } from "./failure.ts";
import type { Io } from "./io.ts";
import { type PackedFile, packFiles } from "./pack-files.ts";
import { passedEnv } from "./pass-env.ts";
import { colorsFor } from "./style.ts";

/** What `plan` and `apply` are told about a configuration on the command line. */
export interface ConfigFlags {
  file: string;
  env?: string[];
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
  return command
    .requiredOption("-f, --file <file>", "the configuration; - for standard input")
    .option("-e, --env <NAME=value>", "a variable that the file passes through; may be given several times", collect);
}

/** A configuration file that is valid. */
export interface ConfigFile {
  text: string;
  parsed: Extract<ParsedConfig, { ok: true }>;
}

/**
 * Reads what the flags name.
 * @param consequence ends the error of an invalid file, e.g. "Nothing was applied."
 * @throws CliError naming each problem with its place
 */
export async function readConfigFile(io: Io, { file }: ConfigFlags, consequence: string): Promise<ConfigFile> {
  const text = await readConfig(io, file);
  const parsed = parseConfig(text, file);
  if (parsed.ok) return { text, parsed };
  const colors = colorsFor(io.stderr, io.env);
  const problems = parsed.issues.map((issue) => `\n${showIssue({ file, text }, issue, colors)}`).join("");
  throw new CliError(EXIT.failed, `${file} is invalid.${problems}`, consequence);
}

/** What the server is sent of a service. @throws CliError when the file describes something else, or a variable has no value */
export async function requestOf(
  io: Io,
  flags: ConfigFlags,
  { text: config, parsed }: ConfigFile,
  consequence: string,
): Promise<ConfigRequest> {
  if (parsed.type !== "service") {
    throw new CliError(EXIT.failed, `${flags.file} is valid and not applied. ${whyNotApplied(parsed)}`, consequence);
  }
  const { spec } = parsed;
  const env = passedEnv(Object.assign({}, ...spec.groups.map((group) => group.env)), flags.env ?? [], io.env);
  const files = await packFiles(spec.files, flags.file === "-" ? "." : dirname(flags.file));
  const named = files.map(({ localPath, sha256, archive }) => ({ localPath, sha256, bytes: archive.byteLength }));
  return { request: { config, file: flags.file, env, files: named }, spec, files };
}
