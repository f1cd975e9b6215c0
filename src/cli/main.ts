import { Command, CommanderError } from "commander";
import { VERSION } from "../api/version.ts";
import { addAgent } from "./commands/agent.ts";
import { addApply } from "./commands/apply.ts";
import { addDelete } from "./commands/delete.ts";
import { addDeploy } from "./commands/deploy.ts";
import { addDev } from "./commands/dev.ts";
import { addEvents } from "./commands/events.ts";
import { addFleet } from "./commands/fleet.ts";
import { addHost } from "./commands/host.ts";
import { addInit } from "./commands/init.ts";
import { addLogin } from "./commands/login.ts";
import { addLogs } from "./commands/logs.ts";
import { addPlan } from "./commands/plan.ts";
import { addPs } from "./commands/ps.ts";
import { addSchema } from "./commands/schema.ts";
import { addSecret } from "./commands/secret.ts";
import { addServer } from "./commands/server.ts";
import { addStop } from "./commands/stop.ts";
import { addToken } from "./commands/token.ts";
import { addValidate } from "./commands/validate.ts";
import type { AddCommand, Context } from "./context.ts";
import { EXIT, EXIT_HELP, type ExitCode } from "./exit-codes.ts";
import { failureOf } from "./failure.ts";
import { type Io, processIo } from "./io.ts";
import { colorsFor, severalLines } from "./style.ts";

/** In the order of the help: what starts things, what is done daily, what is done once. */
const COMMANDS: AddCommand[] = [
  addServer,
  addAgent,
  addDev,
  addDeploy,
  addInit,
  addValidate,
  addSchema,
  addPlan,
  addApply,
  addPs,
  addLogs,
  addEvents,
  addStop,
  addDelete,
  addLogin,
  addToken,
  addSecret,
  addHost,
  addFleet,
];

/** The whole program but for the process: arguments in, exit code out. Never throws. */
export async function main(argv: string[], io: Io): Promise<ExitCode> {
  const dashes = argv.indexOf("--");
  const wordsBehindDashes = dashes === -1 ? 0 : argv.length - dashes - 1;
  const context: Context = { io, exitCode: EXIT.ok, wordsBehindDashes };
  try {
    await program(context).parseAsync(argv, { from: "user" });
    return context.exitCode;
  } catch (error) {
    const code = explained(error, io);
    // There the same number says that there is something to do, which a script must not be told by a slip.
    return code === EXIT.usage && argv.includes("--detailed-exitcode") ? EXIT.failed : code;
  }
}

/** Says on standard error what there is to say of an error. @returns how the program ends */
function explained(error: unknown, io: Io): ExitCode {
  // Help and mistakes in the command line: commander has written what there is to say.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const { message, hint, exitCode } = failureOf(error, io.interrupted.aborted);
  const colors = colorsFor(io.stderr, io.env);
  if (message !== "") io.stderr.write(`${colors.red("error:")} ${severalLines(message)}\n`);
  if (hint !== null) io.stderr.write(`${hint}\n`);
  return exitCode;
}

/** The commands, their flags and help. Settings of the root are copied to each command as it is added. */
export function program(context: Context): Command {
  const { io } = context;
  const root = new Command("headrace")
    .description("Control plane for LLM inference on your own accelerators")
    .version(VERSION, "-V, --version", "print the version")
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHelpWidth: () => Math.min(io.stdout.columns, 100),
      getErrHelpWidth: () => Math.min(io.stderr.columns, 100),
      getOutHasColors: () => io.stdout.isTTY,
      getErrHasColors: () => io.stderr.isTTY,
    })
    .configureHelp({ showGlobalOptions: false })
    .exitOverride()
    // What stands after a command's name is for that command alone: `agent` and `agent status` both have --data-dir.
    .enablePositionalOptions()
    .showHelpAfterError("Give --help for the flags and examples.")
    .addHelpText("after", EXIT_HELP);
  for (const add of COMMANDS) add(root, context);
  return root;
}

if (import.meta.main) {
  main(process.argv.slice(2), processIo()).then((code) => {
    process.exitCode = code;
  });
}
