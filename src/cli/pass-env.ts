import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseEnv } from "node:util";
import { EXIT } from "./exit-codes.ts";
import { CliError } from "./failure.ts";

type Environment = Record<string, string | undefined>;

/** A variable that the command line gives. */
export interface Assignment {
  name: string;
  value: string;
}

/** A file of variables is written by people; one that is larger is another file. */
const ENV_FILE_BYTES_MAX = 256 * 1024;

/**
 * What `-e NAME=value` gives, and `-e NAME` out of the environment; of several for one name the last.
 * @throws CliError, in which no value is repeated
 */
export function readAssignments(texts: string[], env: Environment): Assignment[] {
  const given = new Map(texts.map((text) => readAssignment(text, env)));
  return [...given].map(([name, value]) => ({ name, value }));
}

/**
 * The values of the variables that a file passes through: from `-e`, else from the environment, else from a file of
 * variables.
 * @throws CliError naming every variable that has no value
 */
export function passedEnv(
  names: string[],
  sources: { assignments: Assignment[]; env: Environment; envFile: Environment },
): Record<string, string> {
  const given = new Map(sources.assignments.map(({ name, value }) => [name, value]));
  const values: Record<string, string> = {};
  const missing: string[] = [];
  for (const name of names) {
    const value = given.get(name) ?? own(sources.env, name) ?? own(sources.envFile, name);
    if (value === undefined) missing.push(name);
    else values[name] = value;
  }
  if (missing.length === 0) return values;
  const [it, is] = missing.length === 1 ? ["it", "it is"] : ["them", "they are"];
  throw new CliError(
    EXIT.failed,
    `The file passes ${missing.join(", ")} through from your environment, where ${is} not set.`,
    `Set ${it}, write ${it} into a .env file beside the configuration, or give ${missing.map((name) => `-e ${name}=value`).join(" ")}.`,
  );
}

/**
 * The variables of `--env-file`, else of `.env` beside the configuration, if there is one.
 * @param asked null = not given
 * @throws CliError when one that was asked for cannot be read, or is no file of variables
 */
export async function readEnvFile(config: string, asked: string | null): Promise<Environment> {
  const file = asked ?? join(config === "-" ? "." : dirname(config), ".env");
  try {
    const { size } = await stat(file);
    if (size > ENV_FILE_BYTES_MAX) throw new Error(`it has more than ${ENV_FILE_BYTES_MAX} bytes`);
    return parseEnv(await readFile(file, "utf8"));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (asked === null && (code === "ENOENT" || code === "ENOTDIR")) return {};
    throw new CliError(EXIT.failed, `Cannot read ${file}: ${code === "ENOENT" ? "there is no such file" : message}.`);
  }
}

function own(variables: Environment, name: string): string | undefined {
  return Object.hasOwn(variables, name) ? variables[name] : undefined;
}

function readAssignment(text: string, env: Environment): [name: string, value: string] {
  const equals = text.indexOf("=");
  const name = equals === -1 ? text : text.slice(0, equals);
  const value = equals === -1 ? own(env, name) : text.slice(equals + 1);
  // The value is left out of errors: it may be a secret.
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new CliError(EXIT.usage, "-e takes NAME=value or NAME.");
  if (value === undefined) throw new CliError(EXIT.usage, `-e ${name}: it is not set in your environment.`);
  return [name, value];
}
