import { Option } from "commander";
import { type AddCommand, agreed, connect, printJson, spanFlag } from "../context.ts";
import { stoppedVerdict } from "../progress.ts";
import { showSpan } from "../time-span.ts";
import { waitFor } from "../wait.ts";

interface StopFlags {
  yes?: boolean;
  detach?: boolean;
  timeout: number;
  json?: boolean;
}

/** Two drains at the default deadline of five minutes (a router's, then its workers'), and some room. */
const TIMEOUT_MS = 15 * 60_000;

export const addStop: AddCommand = (program, context) => {
  const { io } = context;
  program
    .command("stop")
    .description("Stop a service: it takes no new requests, and those in flight finish first")
    .argument("<service>", "a service's name")
    .option("-y, --yes", "do not ask")
    .option("-d, --detach", "do not wait until it has stopped")
    .addOption(
      new Option("--timeout <span>", "how long to wait until it has stopped")
        .argParser(spanFlag)
        .default(TIMEOUT_MS, "15m"),
    )
    .option("--json", "print the answer as JSON; the rest goes to standard error")
    .addHelpText("after", "\nExamples:\n  headrace stop chat\n  headrace stop chat -y -d")
    .action(async (service: string, flags: StopFlags) => {
      const screen = flags.json ? io.stderr : io.stdout;
      const { client } = await connect(io);
      if (!(await agreed(context, flags, "stopped", `Stop ${service}? Requests in flight finish first.`))) return;
      const began = io.now();
      const answer = await client.stop(service);
      if (flags.detach) screen.write(`Stopping. \`headrace ps ${service}\` shows how it gets on.\n`);
      else {
        await waitFor(io, client, {
          service,
          after: answer.version,
          timeoutMs: flags.timeout,
          screen,
          verdict: stoppedVerdict,
          wanted: "stopped",
          hint: `The stop goes on: \`headrace ps ${service}\` shows how.`,
        });
        screen.write(`${service} has stopped after ${showSpan(io.now() - began)}.\n`);
      }
      if (flags.json) printJson(io, answer);
    });
};
