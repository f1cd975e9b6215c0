import { type AddCommand, connect, countFlag, note, printJson, printLine } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { CliError } from "../failure.ts";
import { colorsFor, logText, oneLine } from "../style.ts";

/** Both ends refuse more. */
const TAIL_MAX = 10_000;

export const addLogs: AddCommand = (program, { io }) => {
  program
    .command("logs")
    .description("Show the logs of a service's replicas")
    .argument("<service>", "a service's name")
    .option("-f, --follow", "go on as new lines come, until Ctrl-C")
    .option("--replica <id>", "one replica only; `headrace ps SERVICE` names them")
    .option("--tail <lines>", "lines from before now, of each replica", countFlag(0, TAIL_MAX), 100)
    .option("--json", "one JSON object per line: replica, ageMs, attempt, text")
    .addHelpText(
      "after",
      "\nExamples:\n  headrace logs chat -f\n  headrace logs chat --replica chat-decode-2 --tail 1000",
    )
    .action(async (service: string, options: LogFlags) => {
      const { client } = await connect(io);
      const { replica, tail, follow = false } = options;
      const colorful = colorsFor(io.stdout, io.env).isColorSupported;
      let isWhole = true;
      const onUnread = (message: string) => {
        isWhole = false;
        note(io, `${colorsFor(io.stderr, io.env).yellow("warning:")} ${oneLine(message)}.`);
      };
      const lines = client.logs(service, { tail, follow, onUnread, ...(replica === undefined ? {} : { replica }) });
      for await (const line of lines) {
        if (options.json) printJson(io, line);
        else printLine(io, `${replica === undefined ? `${line.replica} | ` : ""}${logText(line.text, colorful)}`);
      }
      io.interrupted.throwIfAborted();
      if (!isWhole)
        throw new CliError(EXIT.failed, "Some of the log is missing, as the warnings say.", "Run it again.");
    });
};

interface LogFlags {
  follow?: boolean;
  replica?: string;
  tail: number;
  json?: boolean;
}
