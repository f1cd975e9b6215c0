import { resolve } from "node:path";
import { Option } from "commander";
import { defaultDataDir } from "../../../agents/host/data-dir.ts";
import { askAgent } from "../../../agents/host/local/ask-agent.ts";
import type { LogLevel } from "../../../agents/host/log.ts";
import { findProgram } from "../../../agents/host/programs.ts";
import { AGENT_ENVIRONMENT, AGENT_NODE_FLAGS } from "../../install/agent-process.ts";
import type { AddCommand } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { CliError } from "../failure.ts";
import { readSettings, serverUrl } from "../settings.ts";

interface AgentFlags {
  server?: string;
  name?: string;
  address?: string;
  network?: string;
  dataDir?: string;
  declare?: string;
  sysfsRoot?: string;
  procRoot?: string;
  devRoot?: string;
  nvidiaSmi?: string;
  jobUser?: string;
  dockerSocket?: string;
  modelCache?: string;
  stopJobsOnExit?: boolean;
  logLevel: LogLevel;
}

export const addAgent: AddCommand = (program, { io }) => {
  const agent = program
    .command("agent")
    .enablePositionalOptions()
    .description(
      "Run this machine as a host of a fleet, until Ctrl-C; its jobs go on and are adopted by the next start",
    )
    .option("--server <url>", "the control plane (HEADRACE_SERVER; default: the server of the last login)")
    .option("--name <name>", "what the host is called (default: the hostname)")
    .option("--address <address>", "at which other hosts reach it (default: that of the default route)")
    .option(
      "--data-dir <folder>",
      "where its state is kept (default /var/lib/headrace as root, else in ~/.local/share)",
    )
    .option("--declare <what>", "what it has, over what is found: cpu=128,memory=1024,disk=2000,gpu=H200:8, or a file")
    .option("--sysfs-root <folder>", "where accelerators and NICs are looked for instead of in /sys; with the next two")
    .option("--proc-root <folder>", "the same instead of /proc")
    .option("--dev-root <folder>", "the same instead of /dev")
    .option("--nvidia-smi <program>", "NVIDIA's tool (default: nvidia-smi, none with --sysfs-root)")
    .option("--job-user <user>", "whom jobs run as; same = as the agent (default: headrace-job as root, else same)")
    .option("--docker-socket <path>", "where its Docker engine listens (default: /var/run/docker.sock if there is one)")
    .option(
      "--model-cache <folder>",
      "where jobs keep the models that they download, or none (default: in the data folder)",
    )
    .option("--stop-jobs-on-exit", "end the jobs with the agent")
    .addOption(new Option("--log-level <level>").choices(["debug", "info", "warn", "error"]).default("info"))
    .addHelpText(
      "after",
      "\n`headrace host join` prints a line that installs an agent on a host. Started by hand, the first time needs the\n" +
        "token of such a line in HEADRACE_JOIN_TOKEN.\n\nExamples:\n" +
        "  HEADRACE_JOIN_TOKEN=hrj_... headrace agent --server https://headrace.example.com\n" +
        "  headrace agent --declare gpu=H200:8",
    )
    .action(async (flags: AgentFlags) => {
      const given = agentFlags(await serverOf(flags.server), flags);
      // The same process, with nothing of this program in its memory.
      const { file, compileCache } = findProgram("agent", resolve(flags.dataDir ?? defaultDataDir()));
      io.become([...AGENT_NODE_FLAGS, file, ...given], { ...AGENT_ENVIRONMENT, NODE_COMPILE_CACHE: compileCache });
    });

  agent
    .command("status")
    .description(
      "Show what the agent that runs on this machine says of itself; as whom it runs as, so mostly with sudo",
    )
    .option("--network <network>", "its address is the one that it has in there, e.g. 10.0.0.0/24")
    .option("--data-dir <folder>", "the agent's (default /var/lib/headrace as root, else in ~/.local/share)")
    .option("--json", "print all that it tells as JSON")
    .addHelpText(
      "after",
      "\nWhere the agent was installed, the same is /opt/headrace/run --status [--json].\n\nExamples:\n" +
        "  headrace agent status\n  headrace agent status --json --data-dir /mnt/nvme/headrace",
    )
    .action(async ({ dataDir, json }: { dataDir?: string; json?: boolean }) => {
      const folder = resolve(dataDir ?? defaultDataDir());
      const told = await askAgent(folder, json ? "/debug/state" : "/status").catch((error: Error) => {
        throw new CliError(EXIT.failed, error.message);
      });
      io.stdout.write(told);
    });

  async function serverOf(flag: string | undefined): Promise<string> {
    if (flag !== undefined) return serverUrl(flag, "--server");
    if (io.env.HEADRACE_SERVER) return serverUrl(io.env.HEADRACE_SERVER, "HEADRACE_SERVER");
    const { server } = await readSettings(io.env);
    if (server !== null) return server;
    throw new CliError(EXIT.usage, "It is not known which server to join.", "Give --server URL.");
  }
};

/** The same flags as the agent's entry takes them. */
function agentFlags(server: string, flags: AgentFlags): string[] {
  const texts: [string, string | undefined][] = [
    ["--server", server],
    ["--name", flags.name],
    ["--address", flags.address],
    ["--network", flags.network],
    ["--data-dir", flags.dataDir],
    ["--declare", flags.declare],
    ["--sysfs-root", flags.sysfsRoot],
    ["--proc-root", flags.procRoot],
    ["--dev-root", flags.devRoot],
    ["--nvidia-smi", flags.nvidiaSmi],
    ["--job-user", flags.jobUser],
    ["--docker-socket", flags.dockerSocket],
    ["--model-cache", flags.modelCache],
    ["--log-level", flags.logLevel],
  ];
  const given = texts.flatMap(([flag, value]) => (value === undefined ? [] : [`${flag}=${value}`]));
  return flags.stopJobsOnExit ? [...given, "--stop-jobs-on-exit"] : given;
}
