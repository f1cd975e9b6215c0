import { Option } from "commander";
import type { Client } from "../../api/client.ts";
import type { ApplyAnswer, PlanView } from "../../control/views/views.ts";
import { whyNotApplied } from "../../spec/index.ts";
import {
  type ConfigFile,
  type ConfigFlags,
  type ConfigRequest,
  readConfigFile,
  requestOf,
  withConfigFlags,
} from "../config-request.ts";
import { type AddCommand, confirm, connect, countFlag, printJson, printLine, spanFlag } from "../context.ts";
import { endpointLines } from "../endpoint-lines.ts";
import { EXIT } from "../exit-codes.ts";
import { CliError } from "../failure.ts";
import { applyFleetPlan, fleetPlanLines, fleetRequestOf } from "../fleet-file.ts";
import type { Io, Screen } from "../io.ts";
import { planLines } from "../plan-lines.ts";
import { readyVerdict } from "../progress.ts";
import {
  assertAllInstalled,
  type HostOutcome,
  installHostsOf,
  type SshFlags,
  withSshFlags,
} from "../ssh/fleet-hosts.ts";
import { colorsFor } from "../style.ts";
import { showSpan } from "../time-span.ts";
import { waitFor } from "../wait.ts";

interface ApplyFlags extends ConfigFlags, SshFlags {
  yes?: boolean;
  detach?: boolean;
  timeout: number;
  revision?: number;
  json?: boolean;
}

/** Large models take many minutes to load from a cold disk. */
const TIMEOUT_MS = 30 * 60_000;

const NOT_APPLIED = "Nothing was applied.";

export const addApply: AddCommand = (program, context) => {
  const { io } = context;
  const command = program
    .command("apply")
    .description("Create or change a service or fleet as a file says; of a service, wait until it is ready");
  withSshFlags(withConfigFlags(command))
    .option("--server <url>", "of a fleet: the server's address as its hosts reach it, if it is another than yours")
    .option("--from <url>", "of a fleet: the folder to install agents from (default: /install of the server)")
    .option("-y, --yes", "do not ask")
    .option("-d, --detach", "do not wait until it is ready")
    .addOption(
      new Option("--timeout <span>", "how long to wait until it is ready")
        .argParser(spanFlag)
        .default(TIMEOUT_MS, "30m"),
    )
    .addOption(
      new Option(
        "--revision <n>",
        "the revision in the plan that was agreed to; refused when it is another by now",
      ).argParser(countFlag(0, Number.MAX_SAFE_INTEGER)),
    )
    .option("--json", "print the answer as JSON; the rest goes to standard error")
    .addHelpText(
      "after",
      "\nCtrl-C ends the waiting, not the service.\n\nExamples:\n" +
        "  headrace apply -f service.yml\n  headrace apply -f service.yml -y -e REPLICA_LOG=debug -- --tp 8\n" +
        "  headrace apply -f service.yml -y -d --json\n  headrace apply -f service.yml -y --revision 3",
    )
    .action(async (words: string[], flags: ApplyFlags) => {
      const screen = flags.json ? io.stderr : io.stdout;
      const file = await readConfigFile(context, flags, words, NOT_APPLIED);
      if (file.parsed.type === "fleet" && whyNotApplied(file.parsed) === null) {
        if (!(await applyFleet(io, flags, file, screen))) context.exitCode = EXIT.failed;
        return;
      }
      const { request, spec, files } = await requestOf(io, flags, file, NOT_APPLIED);
      const { client, target } = await connect(io);
      const planned = flags.revision === undefined ? request : { ...request, expectedRevision: flags.revision };
      const plan = await client.plan(planned);
      for (const line of planLines({ ...plan, refusal: null }, colorsFor(screen, io.env))) screen.write(`${line}\n`);
      if (plan.refusal !== null) throw new CliError(EXIT.failed, `${plan.refusal}.`, NOT_APPLIED);

      const began = io.now();
      const applied = await applyPlan(io, client, { request, files }, plan, flags.yes ?? false);
      if (applied === null) {
        screen.write(`${NOT_APPLIED}\n`);
        context.exitCode = EXIT.failed;
        return;
      }
      if (flags.detach) {
        if (flags.json) printJson(io, { ...applied, ready: null });
        else printLine(io, `Applied. \`headrace ps ${spec.name}\` shows how it gets on.`);
        return;
      }
      const view = await untilReady(io, client, applied, flags, screen);
      screen.write(`\n${spec.name} is ready after ${showSpan(io.now() - began)}.\n`);
      for (const line of endpointLines(target.server, view, spec, programName(io.env))) screen.write(`${line}\n`);
      if (flags.json) printJson(io, { ...applied, ready: true, url: target.server + view.url });
    });
};

/** How the user has called this program; what npx runs is on no PATH. */
function programName(env: Io["env"]): string {
  return env.npm_command === "exec" ? "npx headrace" : "headrace";
}

/** @returns whether it was applied */
async function applyFleet(io: Io, flags: ApplyFlags, file: ConfigFile, screen: Screen): Promise<boolean> {
  const { client, target } = await connect(io);
  const request = fleetRequestOf(flags, file);
  const expected = flags.revision === undefined ? {} : { expectedRevision: flags.revision };
  const plan = await client.planFleet({ ...request, ...expected });
  for (const line of fleetPlanLines({ ...plan, refusal: null }, colorsFor(screen, io.env))) screen.write(`${line}\n`);
  if (plan.refusal !== null) throw new CliError(EXIT.failed, `${plan.refusal}.`, NOT_APPLIED);
  const applied = await applyFleetPlan(io, client, request, plan, flags.yes ?? false);
  if (applied === null) {
    screen.write(`${NOT_APPLIED}\n`);
    return false;
  }
  screen.write("Applied.\n");
  const hosts = await seeToHosts(io, client, target.server, flags, file, screen);
  if (flags.json) printJson(io, hosts === null ? applied : { ...applied, hosts });
  if (hosts !== null) assertAllInstalled(hosts);
  return true;
}

/** Installs the agent on the hosts that a file lists. @returns null where it lists none */
async function seeToHosts(
  io: Io,
  client: Client,
  server: string,
  flags: ApplyFlags,
  { parsed }: ConfigFile,
  screen: Screen,
): Promise<HostOutcome[] | null> {
  if (parsed.type !== "fleet" || parsed.spec.hosts.kind !== "ssh") return null;
  const { name, hosts, agentVersion } = parsed.spec;
  return installHostsOf(io, { client, server }, { name, hosts, agentVersion }, flags, screen);
}

/** Applies what the user has seen and agreed to. @returns null when they did not agree */
async function applyPlan(
  io: Io,
  client: Client,
  { request, files }: Pick<ConfigRequest, "request" | "files">,
  plan: PlanView,
  yes: boolean,
): Promise<ApplyAnswer | null> {
  if (plan.action === "none") return unchanged(client, plan);
  if (!(await confirm(io, "Apply?", yes))) return null;
  for (const file of files) await client.putFile(file.sha256, file.archive);
  // Refused if somebody else was faster: what was agreed to would not be what happens.
  return client.apply({ ...request, expectedRevision: plan.revision });
}

/** A service that is as the file says is only waited for, from now on. */
async function unchanged(client: Client, plan: PlanView): Promise<ApplyAnswer> {
  const { commits } = await client.journal({ after: -1, limit: 1 });
  return { service: plan.service, revision: plan.revision, action: "none", version: commits.at(-1)?.version ?? 0 };
}

async function untilReady(io: Io, client: Client, applied: ApplyAnswer, flags: ApplyFlags, screen: Screen) {
  const view = await waitFor(io, client, {
    service: applied.service,
    after: applied.version,
    timeoutMs: flags.timeout,
    screen,
    verdict: (seen) => readyVerdict(seen, applied.revision),
    wanted: "ready",
    hint:
      `The service stays and goes on starting: \`headrace ps ${applied.service}\` and \`headrace logs ${applied.service}\` ` +
      "show how it gets on, the same apply waits again, `headrace stop` ends it.",
  });
  if (view === null) throw new CliError(EXIT.failed, `${applied.service} was deleted.`);
  return view;
}
