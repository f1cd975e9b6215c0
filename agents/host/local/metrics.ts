import { jobState } from "../../../src/wire/index.ts";
import type { Family, Sample } from "./exposition.ts";
import type { AgentView } from "./view.ts";

/** What an operator of hosts watches, by Prometheus's own names where it has some. Pure. */
export function agentMetrics(view: AgentView): Family[] {
  const { link, syncs, turns, loop, disk, inventory } = view;
  return [
    gauge("headrace_agent_build_info", "Version of the agent and of its Node.", 1, {
      version: view.version,
      node: view.node,
    }),
    gauge("process_start_time_seconds", "Start of the agent, in seconds since the epoch.", view.startedAt / 1_000),
    gauge("process_resident_memory_bytes", "Resident memory of the agent.", view.memoryBytes),
    counter("process_cpu_seconds_total", "Processor time of the agent.", view.cpuSeconds),
    {
      ...summary("headrace_agent_loop_delay_seconds", "How much later than asked for the agent got to what was due."),
      samples: sumAndCount(loop.sumMs / 1_000, loop.looks),
    },
    gauge("headrace_agent_loop_delay_max_seconds", "The longest of these since its start.", loop.maxMs / 1_000),
    gauge("headrace_agent_link_up", "Whether there is a link to the server.", link.since === null ? 0 : 1),
    gauge("headrace_agent_server_heard", "Whether the server is heard, by a link or by requests.", oneIf(view.heardBy)),
    counter("headrace_agent_links_opened_total", "Links that were opened; all but one are reconnects.", link.opened),
    counter("headrace_agent_links_failed_total", "Attempts that opened no link.", link.failed),
    gauge(
      "headrace_agent_link_streams",
      "Streams that are open over the link: requests, logs, syncs.",
      link.openStreams,
    ),
    {
      ...family("counter", "headrace_agent_link_bytes_total", "Bytes that links have carried, by direction."),
      samples: [
        { labels: { direction: "received" }, value: link.bytesReceived },
        { labels: { direction: "sent" }, value: link.bytesSent },
      ],
    },
    {
      ...summary("headrace_agent_sync_seconds", "How long syncs took that were answered."),
      samples: sumAndCount(syncs.seconds, syncs.answered),
    },
    counter("headrace_agent_syncs_failed_total", "Syncs that were not answered, or refused.", syncs.failed),
    counter("headrace_agent_report_bytes_total", "Bytes of the reports of all syncs.", syncs.reportBytes),
    ...(syncs.answeredAt === null
      ? []
      : [gauge("headrace_agent_synced_time_seconds", "When the last sync was answered.", syncs.answeredAt / 1_000)]),
    gauge("headrace_agent_desired_version", "Commit of the desired state that is held.", view.desired?.version ?? 0),
    counter("headrace_agent_turns_total", "Decisions.", turns.turns),
    {
      ...family("gauge", "headrace_agent_jobs", "Jobs of this host, by state."),
      samples: jobState.options.map((state) => ({
        labels: { state },
        value: view.jobs.filter((job) => job.state === state).length,
      })),
    },
    counter("headrace_agent_job_starts_total", "Attempts of jobs that were begun.", turns.starts),
    counter("headrace_agent_job_restarts_total", "Those of a job that had been started before.", turns.restarts),
    counter("headrace_agent_job_starts_failed_total", "Those that could not be started at all.", turns.startsFailed),
    counter("headrace_agent_probes_total", "Probes of jobs that were answered or given up.", turns.probes),
    counter("headrace_agent_probes_failed_total", "Those of them that failed.", turns.probesFailed),
    {
      ...family("gauge", "headrace_agent_runtime_usable", "Whether jobs can be started with a runtime now."),
      samples: view.runtimes.map(({ name, usable }) => ({ labels: { runtime: name }, value: usable ? 1 : 0 })),
    },
    ...(disk === null
      ? []
      : [
          gauge("headrace_host_disk_free_bytes", "Free on the file system of the agent's data folder.", disk.freeBytes),
          gauge("headrace_host_disk_bytes", "Its size.", disk.bytes),
        ]),
    { ...family("gauge", "headrace_host_accelerators", "Accelerators, by health."), samples: accelerators(inventory) },
    gauge("headrace_host_problems", "What is wrong with the host's parts.", inventory?.problems.length ?? 0),
    gauge("headrace_host_warnings", "What its operator should know.", inventory?.warnings.length ?? 0),
  ];
}

function accelerators(inventory: AgentView["inventory"]): Sample[] {
  if (inventory === null) return [];
  const unwell = new Set(inventory.problems.flatMap((problem) => problem.accelerators));
  const count = (health: string) =>
    inventory.accelerators.filter(({ index }) => (unwell.has(index) ? "unwell" : "well") === health).length;
  return ["well", "unwell"].map((health) => ({ labels: { health }, value: count(health) }));
}

function family(type: Family["type"], name: string, help: string): Family {
  return { type, name, help, samples: [] };
}

function summary(name: string, help: string): Family {
  return family("summary", name, help);
}

function counter(name: string, help: string, value: number): Family {
  return { ...family("counter", name, help), samples: [{ value }] };
}

function gauge(name: string, help: string, value: number, labels: Record<string, string> = {}): Family {
  return { ...family("gauge", name, help), samples: [{ labels, value }] };
}

function sumAndCount(sum: number, count: number): Sample[] {
  return [
    { part: "sum", value: sum },
    { part: "count", value: count },
  ];
}

function oneIf(heardBy: AgentView["heardBy"]): number {
  return heardBy === null ? 0 : 1;
}
