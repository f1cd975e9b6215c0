import type { Command } from "commander";
import { EXIT } from "../exit-codes.ts";
import { program } from "../main.ts";

/** Every command that does something, as the program itself has them: `apply`, `token create`. */
export function allCommands(): { name: string; command: Command }[] {
  const walk = (command: Command, path: string): { name: string; command: Command }[] =>
    command.commands.flatMap((one) => {
      const name = `${path}${one.name()}`;
      return one.commands.length === 0 ? [{ name, command: one }] : walk(one, `${name} `);
    });
  // Nothing is read, written or asked before a command runs.
  return walk(program({ io: {} as never, exitCode: EXIT.ok, wordsBehindDashes: 0 }), "");
}

export const commandNames = (): string[] => allCommands().map(({ name }) => name);
