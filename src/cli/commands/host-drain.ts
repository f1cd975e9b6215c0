import { Option } from "commander";
import type { Client } from "../../api/client.ts";
import type { HostDetailView } from "../../control/views/views.ts";
import { type AddCommand, connect, printJson, spanFlag } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { CliError } from "../failure.ts";
import { leavingLines } from "../host-lines.ts";
import type { Io, Screen } from "../io.ts";
import { pickHost, withHost } from "../pick-host.ts";
import { oneLine } from "../style.ts";
import { showSpan } from "../time-span.ts";

/** A replacement loads a large model, and what it replaces has its time to finish. */
const TIMEOUT_MS = 60 * 60_000;
/** How often it is looked at what is left; a drain takes minutes. */
const LOOK_MS = 2_000;

interface DrainFlags {
  reason: string;
  detach?: boolean;
  timeout: number;
  json?: boolean;
}

export const addDrain: AddCommand = (host, { io }) => {
  withHost(host.command("drain").description("Move away what runs on a host: replaced elsewhere first, stopped after"))
    .option("--reason <text>", "why, for whoever looks at it", "")
    .option("-d, --detach", "do not wait until nothing is left there")
    .addOption(
      new Option("--timeout <span>", "how long to wait until nothing is left there")
        .argParser(spanFlag)
        .default(TIMEOUT_MS, "1h"),
    )
    .option("--json", "print the answer as JSON; the rest goes to standard error")
    .addHelpText(
      "after",
      "\nThe host gets nothing new until it is given back. Ctrl-C ends the waiting, not the drain.\n\nExamples:\n" +
        '  headrace host drain gpu-7 --reason "new kernel"\n  headrace host drain gpu-7 -d && headrace host show gpu-7',
    )
    .action(async (name: string, flags: DrainFlags) => {
      const { client } = await connect(io);
      const { id, name: full } = pickHost(await client.hosts(), name);
      const answer = await client.drainHost(id, flags.reason);
      const screen = flags.json ? io.stderr : io.stdout;
      if (flags.detach) screen.write(`Draining ${oneLine(full)}. \`headrace host show ${id}\` shows what is left.\n`);
      else await untilDrained(io, client, { id, name: oneLine(full), timeoutMs: flags.timeout }, screen);
      if (flags.json) printJson(io, answer);
    });
};

/** Shows what is left and what it waits for, whenever that changes. @throws CliError when it takes too long */
async function untilDrained(
  io: Io,
  client: Client,
  { id, name, timeoutMs }: { id: string; name: string; timeoutMs: number },
  screen: Screen,
): Promise<void> {
  const hint = `The drain goes on: \`headrace host show ${id}\` shows what is left, \`headrace host uncordon ${id}\` ends it.`;
  const began = io.now();
  let shown = "";
  for (;;) {
    const view: HostDetailView = await client.host(id);
    if (view.replicas.length === 0) {
      screen.write(`Nothing runs on ${name} any more, after ${showSpan(io.now() - began)}.\n`);
      return;
    }
    if (!view.cordons.operator?.drain) throw new CliError(EXIT.failed, `${name} was given back meanwhile.`);
    const lines = leavingLines(view);
    const text = lines.join("\n");
    if (text !== shown) screen.write(`${text}\n`);
    shown = text;
    if (io.interrupted.aborted) throw new CliError(EXIT.interrupted, `Stopped waiting for ${name}.`, hint);
    if (io.now() - began >= timeoutMs) {
      const left = `${lines.length} ${lines.length === 1 ? "replica is" : "replicas are"} left`;
      throw new CliError(EXIT.notReady, `${left} on ${name} after ${showSpan(timeoutMs)}: ${lines[0]}.`, hint);
    }
    await io.sleep(LOOK_MS, io.interrupted);
  }
}
