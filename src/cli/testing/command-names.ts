import type { Command } from "commander";
import { EXIT } from "../exit-codes.ts";
import { program } from "../main.ts";

/** Every command that does something, as the program itself has them: `apply`, `token create`. */
export function allCommands(): { name: string; command: Command }[] {
  const walk = (command: Command, path: string): { name: string; command: Command }[] =>
    command.commands.flatMap((one) => {
      const name = `${path}${one.name()}`;
      const below = walk(one, `${name} `);
      // Options of its own tell of one that does something without a further word.
      return below.length === 0 || one.options.length > 0 ? [{ name, command: one }, ...below] : below;
    });
  // Nothing is read, written or asked before a command runs.
  return walk(program({ io: {} as never, exitCode: EXIT.ok, wordsBehindDashes: 0 }), "");
}

export const commandNames = (): string[] => allCommands().map(({ name }) => name);
