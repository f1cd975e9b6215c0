import type { EnvSpec } from "../spec/types.ts";
import type { CommandWords } from "./shell-words.ts";

/** The flags of a launch line, as its program would read them. */
export interface LaunchFlags {
  /**
   * The last value given under any of these spellings, with a variable of the service's own `env` filled in; null when
   * the flag is absent or has no value.
   */
  value(...spellings: string[]): string | null;
  has(...spellings: string[]): boolean;
}

const VARIABLE = /^\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?::?[-=?+][^}]*)?\})$/;

/** The variable that a word consists of, e.g. `HEADRACE_PORT` for `${HEADRACE_PORT:-8000}`; null for any other word. */
export function variableOf(word: string): string | null {
  const match = VARIABLE.exec(word);
  return match?.[1] ?? match?.[2] ?? null;
}

/** Whether a script refers to a variable at all, in whatever way. */
export function mentions(commands: string[], variable: string): boolean {
  const reference = new RegExp(`\\$\\{?${variable}(?!\\w)`);
  return commands.some((command) => reference.test(command));
}

/**
 * Reads the flags that follow a program's name. Both `--flag value` and `--flag=value` count; where a flag is repeated
 * the last wins, as in the programs read here.
 */
export function readFlags(words: CommandWords, env: EnvSpec): LaunchFlags {
  const given = new Map<string, string | null>();
  for (const [index, word] of words.entries()) {
    if (!word.startsWith("-")) continue;
    const equals = word.indexOf("=");
    const next = words[index + 1];
    if (equals > 0) given.set(word.slice(0, equals), word.slice(equals + 1));
    else given.set(word, next === undefined || next.startsWith("--") ? null : next);
  }
  return {
    value(...spellings) {
      const raw = spellings.map((spelling) => given.get(spelling)).findLast((value) => typeof value === "string");
      if (raw === undefined || raw === null) return null;
      return env[variableOf(raw) ?? ""] ?? raw;
    },
    has: (...spellings) => spellings.some((spelling) => given.has(spelling)),
  };
}

/**
 * Finds `program` (a sequence of words, e.g. `-m sglang.launch_server`) in the commands, wherever it stands: launch
 * lines are wrapped in `exec`, `env`, `numactl`, `nohup` and the like. A path before the first word does not matter.
 * @returns the words after it; null when no command has it.
 */
export function afterProgram(commands: CommandWords[], program: string[]): CommandWords | null {
  for (const words of commands) {
    const start = words.findIndex((_, index) =>
      program.every((part, offset) => {
        const word = words[index + offset];
        return word === part || (offset === 0 && word?.endsWith(`/${part}`) === true);
      }),
    );
    if (start >= 0) return words.slice(start + program.length);
  }
  return null;
}
