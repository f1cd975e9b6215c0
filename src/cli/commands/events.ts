import type { CommitView } from "../../control/views/views.ts";
import { commitLines } from "../commit-lines.ts";
import { type AddCommand, connect, countFlag, note, printJson, printLine } from "../context.ts";
import { colorsFor } from "../style.ts";

/** One page of the journal. */
const LAST_MAX = 500;

export const addEvents: AddCommand = (program, { io }) => {
  program
    .command("events")
    .description("Show what happened in the project")
    .option("-f, --follow", "go on as things happen, until Ctrl-C")
    .option("-n, --last <commits>", "how many of the newest commits to begin with", countFlag(1, LAST_MAX), 50)
    .option("--json", "one JSON object per line: a commit with its events")
    .addHelpText("after", "\nExamples:\n  headrace events\n  headrace events -f --json")
    .action(async (options: { follow?: boolean; last: number; json?: boolean }) => {
      const { client } = await connect(io);
      const colors = colorsFor(io.stdout, io.env);
      const show = (commit: CommitView) => {
        if (options.json) printJson(io, commit);
        else for (const line of commitLines(commit, colors)) printLine(io, line);
      };
      if (options.follow) {
        const onGap = (oldest: number) => note(io, `(commits before ${oldest} are no longer kept)`);
        for await (const commit of client.follow({ after: -options.last, signal: io.interrupted, onGap })) show(commit);
        io.interrupted.throwIfAborted();
      } else {
        const { commits } = await client.journal({ after: -options.last, limit: options.last });
        for (const commit of commits) show(commit);
      }
    });
};
