import type { AgentView } from "./view.ts";

/** What a person who is logged in on the host wants to know first, in lines. Pure. @param now in ms since the epoch */
export function statusText(view: AgentView, now: number): string {
  const lines = [
    `agent ${view.version} with Node ${view.node}, process ${view.pid}, up ${span(now - view.startedAt)}`,
    `host ${view.host} of the fleet ${view.fleet}, project ${view.project} at ${view.server}`,
    serverLine(view, now),
    view.desired === null
      ? "it was not told yet what to run"
      : `it holds commit ${view.desired.version} with ${count(view.desired.jobs.length, "job")}`,
    ...jobTable(view.jobs),
    `runtimes: ${view.runtimes.map(({ name, usable }) => (usable ? name : `${name} (not usable)`)).join(", ")}`,
    ...hardwareLines(view),
    `memory ${megabytes(view.memoryBytes)} MB, ${percent(view, now)} % of a core since its start`,
    `link: ${count(view.link.opened, "time")} opened, ${view.link.openStreams} streams open, ` +
      `${megabytes(view.link.bytesReceived)} MB in, ${megabytes(view.link.bytesSent)} MB out`,
    ...(view.inventory?.problems ?? []).map(({ message }) => `problem: ${message}`),
    ...(view.inventory?.warnings ?? []).map((warning) => `warning: ${warning}`),
  ];
  return lines.map((line) => `${printable(line)}\n`).join("");
}

function serverLine({ heardBy, link, syncs }: AgentView, now: number): string {
  const last = syncs.answeredAt === null ? "never synced" : `synced ${span(now - syncs.answeredAt)} ago`;
  switch (heardBy) {
    case "link":
      return `linked for ${span(now - (link.since ?? now))}, ${last}`;
    case "requests":
      return `no link can be opened; it syncs by requests, ${last}`;
    case null: {
      const why = syncs.failure === "" ? "the agent's log says why" : syncs.failure;
      return `the server is not heard, ${last}: ${why}. Jobs go on`;
    }
  }
}

function jobTable(jobs: AgentView["jobs"]): string[] {
  if (jobs.length === 0) return [];
  const rows = [
    ["job", "state", "attempt", ""],
    ...jobs.map(({ job, state, attempt, message }) => [job, state, String(attempt), message]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd());
}

function hardwareLines({ inventory, disk }: AgentView): string[] {
  const { accelerators = [], problems = [] } = inventory ?? {};
  const unwell = new Set(problems.flatMap((problem) => problem.accelerators)).size;
  const kinds = [...new Set(accelerators.map(({ name }) => name))].join(", ");
  return [
    ...(accelerators.length === 0
      ? []
      : [`accelerators: ${accelerators.length} ${kinds}, ${unwell === 0 ? "all well" : `${unwell} not well`}`]),
    ...(disk === null ? [] : [`disk: ${gigabytes(disk.freeBytes)} of ${gigabytes(disk.bytes)} GB free`]),
  ];
}

function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 2 * 3_600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 2 * 86_400) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

function percent({ cpuSeconds, startedAt }: AgentView, now: number): string {
  return ((cpuSeconds * 100_000) / Math.max(1, now - startedAt)).toFixed(1);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 10e6 ? 1 : 0);
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(0);
}

/** On one line of a terminal, which nothing that a job says shall command. */
function printable(line: string): string {
  return line.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, "?");
}
