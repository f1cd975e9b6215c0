import type { HostDetailView, HostView } from "../control/views/views.ts";
import { buildText } from "./build-text.ts";
import { acceleratorsText, fabricText, gigabytes, hardwareLines } from "./hardware-lines.ts";
import { reachLines, reachMark } from "./reach-lines.ts";
import { type Colors, oneLine } from "./style.ts";
import { table } from "./table.ts";
import { showSpan } from "./time-span.ts";
import { wrongCount, wrongLines } from "./wrong-lines.ts";

/** One line for each host, and below them all that is wrong. */
export function hostTable(hosts: HostView[], now: number, colors: Colors): string[] {
  const rows = hosts.map((host) => [
    host.id,
    oneLine(host.name),
    oneLine(host.fleet),
    describeState(host, now, colors),
    oneLine(host.address),
    acceleratorsText(host),
    fabricText(host),
    agentText(host) ?? "-",
    String(host.jobs),
    wrongCount(host) === 0 ? "-" : String(wrongCount(host)),
  ]);
  const head = ["ID", "NAME", "FLEET", "STATE", "ADDRESS", "ACCELERATORS", "FABRIC", "AGENT", "JOBS", "WRONG"];
  const wrong = wrongLines(hosts, colors);
  return [...table([head, ...rows]), ...(wrong.length === 0 ? [] : ["", ...wrong])];
}

/** Its version, and which build of it where it was installed; null = nothing was heard of it. */
function agentText({ agentVersion, agentBuild }: HostView): string | null {
  if (agentVersion === null) return null;
  return agentBuild === null ? oneLine(agentVersion) : `${oneLine(agentVersion)} ${buildText(agentBuild)}`;
}

function updateText({ agentUpdate }: HostView, now: number): string | null {
  if (agentUpdate === null) return null;
  const { build, since, failed } = agentUpdate;
  if (failed !== null) return `to ${buildText(build)} failed: ${oneLine(failed)}`;
  return `told to run ${buildText(build)} ${showSpan(now - since)} ago`;
}

/** All of one host: what it has, what is wrong with it, what runs on it and what a drain waits for. */
export function hostLines(host: HostDetailView, now: number, colors: Colors): string[] {
  const { operator, health } = host.cordons;
  const updating = updateText(host, now);
  const facts = [
    ["state", describeState(host, now, colors)],
    ["fleet", oneLine(host.fleet)],
    ["address", oneLine(host.address)],
    ["cpus", String(host.cpus)],
    ["memory", gigabytes(host.memoryGib)],
    ["disk", gigabytes(host.diskGib)],
    ...diskFacts(host),
    ["accelerators", acceleratorsText(host)],
    ["fabric", fabricText(host)],
    ["agent", agentText(host) ?? "not heard of yet"],
    ...(updating === null ? [] : [["update", updating]]),
    ["joined", `${showSpan(now - host.joinedAt)} ago`],
  ];
  if (operator) {
    const what = operator.drain ? "drained" : "cordoned";
    const why = operator.reason === "" ? "" : `: ${oneLine(operator.reason)}`;
    facts.push([what, `by ${oneLine(operator.by)} ${showSpan(now - operator.since)} ago${why}`]);
  }
  if (health) facts.push(["not well", `for ${showSpan(now - health.since)}: ${oneLine(health.reason)}`]);
  const problems = host.problems.map(({ message }) => `${colors.red("problem:")} ${oneLine(message)}`);
  const warnings = host.warnings.map((warning) => `${colors.yellow("warning:")} ${oneLine(warning)}`);
  const wrong = [...problems, ...reachLines(host, now, colors), ...warnings];
  return [
    `${colors.bold(oneLine(host.name))} (${host.id})`,
    ...table(facts.map(([name, value]) => [`  ${name}`, value ?? ""])),
    ...(wrong.length === 0 ? [] : ["", ...wrong]),
    ...hardwareLines(host),
    ...(host.replicas.length === 0 ? [] : ["", ...replicaLines(host)]),
  ];
}

/** Where it keeps what, and how much of it are models. */
function diskFacts({ disks, modelCache }: HostView): string[][] {
  const facts = disks.map(({ path, holds, gib, level }) => {
    const room = level === "ok" ? "" : level === "low" ? ", nearly full" : ", full";
    return [holds.join(", "), `${oneLine(path)}, ${gigabytes(gib)}${room}`];
  });
  if (modelCache === null) return facts;
  const size = modelCache.gib === null ? "not measured yet" : gigabytes(modelCache.gib);
  return [...facts, ["model cache", `${oneLine(modelCache.path)}, ${size}`]];
}

/** What is still on a host that is drained, and what each of it waits for. */
export function leavingLines({ replicas }: HostDetailView): string[] {
  return replicas.map(({ id, waitsFor }) => `${id}${waitsFor === null ? "" : ` waits for ${oneLine(waitsFor)}`}`);
}

function replicaLines({ replicas }: HostDetailView): string[] {
  const isLeaving = replicas.some(({ waitsFor }) => waitsFor !== null);
  const rows = replicas.map(({ id, group, status, port, accelerators, waitsFor }) => [
    id,
    group,
    status,
    String(port),
    accelerators.join(",") || "-",
    ...(waitsFor === null ? [] : [oneLine(waitsFor)]),
  ]);
  const head = ["REPLICA", "GROUP", "STATUS", "PORT", "ACCELERATORS", ...(isLeaving ? ["LEAVES AFTER"] : [])];
  return table([head, ...rows]);
}

function describeState(host: HostView, now: number, colors: Colors): string {
  const cordon = describeCordons(host, colors);
  const reach = reachMark(host);
  return [describePresence(host, now, colors), cordon, reach && colors.yellow(reach)].filter(Boolean).join(", ");
}

function describePresence(host: HostView, now: number, colors: Colors): string {
  if (host.silentSince !== null) {
    const since = `silent for ${showSpan(now - host.silentSince)}`;
    return colors.red(host.frozen ? `${since}, like most of its fleet` : since);
  }
  return host.online ? colors.green("online") : colors.dim("offline");
}

function describeCordons({ cordons: { operator, health }, jobs }: HostView, colors: Colors): string | null {
  const parts: string[] = [];
  if (operator) parts.push(!operator.drain ? "cordoned" : jobs > 0 ? "draining" : "drained");
  if (health) parts.push("not well");
  return parts.length === 0 ? null : colors.yellow(parts.join(", "));
}
