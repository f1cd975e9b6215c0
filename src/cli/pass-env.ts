import type { EnvSpec } from "../spec/types.ts";
import { EXIT } from "./exit-codes.ts";
import { CliError } from "./failure.ts";

/**
 * The values of the variables that a file passes through (`env` names without a value): from `-e NAME=value`, else from
 * the environment. `-e NAME` is the environment's on purpose.
 * @throws CliError naming every variable that has no value, or an assignment that the file has no use for
 */
export function passedEnv(
  spec: EnvSpec,
  assignments: string[],
  env: Record<string, string | undefined>,
): Record<string, string> {
  const given = new Map(assignments.map((text) => readAssignment(text, env)));
  for (const name of given.keys()) {
    if (spec[name] === null) continue;
    const why = name in spec ? "the file gives it a value of its own" : "the file does not name it under `env`";
    throw new CliError(
      EXIT.usage,
      `-e ${name} has no effect: ${why}.`,
      `Write \`- ${name}\` under \`env\` to pass it through.`,
    );
  }
  const values: Record<string, string> = {};
  const missing: string[] = [];
  for (const name of Object.keys(spec).filter((one) => spec[one] === null)) {
    const value = given.get(name) ?? env[name];
    if (value === undefined) missing.push(name);
    else values[name] = value;
  }
  if (missing.length === 0) return values;
  throw new CliError(
    EXIT.failed,
    `The file passes ${missing.join(", ")} through from your environment, where ${missing.length === 1 ? "it is" : "they are"} not set.`,
    `Set ${missing.length === 1 ? "it" : "them"}, or give ${missing.map((name) => `-e ${name}=value`).join(" ")}.`,
  );
}

function readAssignment(text: string, env: Record<string, string | undefined>): [name: string, value: string] {
  const equals = text.indexOf("=");
  const name = equals === -1 ? text : text.slice(0, equals);
  const value = equals === -1 ? env[name] : text.slice(equals + 1);
  // The value is left out of errors: it may be a secret.
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new CliError(EXIT.usage, "-e takes NAME=value or NAME.");
  if (value === undefined) throw new CliError(EXIT.usage, `-e ${name}: it is not set in your environment.`);
  return [name, value];
}
