import type { PlanView } from "../control/views/views.ts";
import { type Colors, oneLine } from "./style.ts";
import { table } from "./table.ts";

/** Hosts named with a reason, and drained replicas named at all; a fleet of hundreds would bury the plan. */
const HOSTS_SHOWN = 5;
const DRAINED_SHOWN = 10;

type Change = PlanView["changes"][number];
type Placement = PlanView["placements"][number];

/** A plan for people: what changes and how, where replicas go, and what to know before saying yes. */
export function planLines(plan: PlanView, colors: Colors): string[] {
  return [
    headline(plan, colors),
    ...section("", plan.changes.length > 0 ? changeLines(plan, colors) : []),
    ...section(colors.bold("New replicas, as things are now"), placementLines(plan, colors)),
    ...section(colors.bold("Drained: they finish their requests, then stop"), drainedLines(plan)),
    ...section("", remarkLines(plan, colors)),
    ...(plan.refusal === null ? [] : ["", `${colors.red("refused:")} ${oneLine(plan.refusal)}.`]),
  ];
}

/** A valid file that describes what nothing is made of yet. */
export function notAppliedLines(
  { type, name, notes, refusal }: { type: string; name: string; notes: PlanView["notes"]; refusal: string },
  colors: Colors,
): string[] {
  return [
    `${colors.bold(name)} is a valid ${type}. An apply does nothing with it yet.`,
    // That nothing is made of it is among the notes too.
    ...section(
      "",
      noteLines(
        notes.filter(({ message }) => message !== refusal),
        colors,
      ),
    ),
    "",
    `${colors.red("refused:")} ${refusal}`,
  ];
}

/** What to know of what would run; where nothing would be done that helps nobody. */
function remarkLines({ action, notes, warnings }: PlanView, colors: Colors): string[] {
  if (action === "none" || action === "refused") return [];
  return [
    ...noteLines(notes, colors),
    ...warnings.map((warning) => `${colors.yellow("warning:")} ${oneLine(warning)}`),
  ];
}

/** Said once, with all the lines that it is said of. */
export function noteLines(notes: PlanView["notes"], colors: Colors): string[] {
  const places = new Map<string, string[]>();
  for (const { file, line, message } of notes) {
    const place = file === undefined ? `line ${line}` : `${file} line ${line}`;
    places.set(message, [...(places.get(message) ?? []), place]);
  }
  return [...places].map(
    ([message, where]) => `${colors.cyan("note:")} ${oneLine(where.join(", "))}: ${oneLine(message)}`,
  );
}

/** Lines with a title, apart from what stands above; nothing where there are none. */
export function section(title: string, lines: string[]): string[] {
  if (lines.length === 0) return [];
  return title === "" ? ["", ...lines] : ["", title, ...lines];
}

function headline(plan: PlanView, colors: Colors): string {
  const name = colors.bold(plan.service);
  const next = plan.revision + 1;
  switch (plan.action) {
    case "create":
      return `${name} will be created.`;
    case "start":
      return `${name} is stopped; it will be started as revision ${next}${plan.changes.length > 0 ? ", with these changes:" : ", unchanged."}`;
    case "update":
      return `${name} will be changed from revision ${plan.revision} to ${next}. Nothing that runs restarts.`;
    case "none":
      return `${name} is as the file says, at revision ${plan.revision}: nothing to do.`;
    case "refused":
      return `${name} cannot be changed so now; it stays at revision ${plan.revision}.`;
  }
}

/** How a change is made, in a word or two. */
const WAYS: Record<Change["way"], string> = { in_place: "in place", rolled: "rolled", replaced: "replaced" };

function changeLines({ action, changes, groups }: PlanView, colors: Colors): string[] {
  // Of a service that is stopped everything is made anew: that needs no word for each field.
  const way = (change: Change) => (action === "start" ? [] : [wayOf(change)]);
  const unchanged = groups.filter((group) => group.way === "unchanged").map(({ name }) => groupName(name));
  const rows = indented(
    changes.map((change) => [...way(change), oneLine(change.label), change.lines.length > 0 ? "" : values(change)]),
  );
  return [
    ...changes.flatMap((change, index) => [
      rows[index] as string,
      ...change.lines.map((line) => `      ${paint(oneLine(line), colors)}`),
    ]),
    ...(unchanged.length > 0 ? [`  unchanged: ${unchanged.join(", ")}`] : []),
  ];
}

function wayOf({ path, from, way }: Change): string {
  if (path !== "groups" || way !== "in_place") return WAYS[way];
  return from === "(none)" ? "added" : "removed";
}

/** Of a group that comes or goes the word before it says which; of one for which all has to stop only the arrow does. */
function values({ path, from, to, way }: Change): string {
  if (path === "groups" && way === "in_place") return oneLine(from === "(none)" ? to : from);
  return `${oneLine(from)} -> ${oneLine(to)}`;
}

function paint(line: string, colors: Colors): string {
  if (line.startsWith("-")) return colors.red(line);
  return line.startsWith("+") ? colors.green(line) : colors.dim(line);
}

function placementLines({ placements, groups }: PlanView, colors: Colors): string[] {
  const named = groups.length > 1 || groups[0]?.name !== "0";
  const rows = placements.map(({ group, host, replicas }, index) => [
    ...(named ? [placements[index - 1]?.group === group ? "" : groupName(group)] : []),
    host === null
      ? colors.yellow(`${replicas} fit${replicas === 1 ? "s" : ""} nowhere and will wait for room:`)
      : `${replicas} on ${oneLine(host)}`,
  ]);
  return indented(rows).flatMap((line, index) => [line, ...reasonLines(placements[index] as Placement)]);
}

function reasonLines({ host, reasons }: Placement): string[] {
  if (host !== null) return [];
  if (reasons.length === 0) return ["      no host has joined this project (headrace host join)"];
  return reasons.map(({ reason, count, hosts }) => {
    if (count === 0) return `      ${oneLine(reason)}`;
    const which = count === 1 ? "1 host" : `${count} hosts`;
    return `      ${which}: ${oneLine(reason)} (${hostNames(hosts, count)})`;
  });
}

/** A group without a name of its own is called by its place, which alone would read as a number of something. */
function groupName(name: string): string {
  return /^\d+$/.test(name) ? `group ${name}` : oneLine(name);
}

function hostNames(hosts: string[], count: number): string {
  const shown = hosts.slice(0, HOSTS_SHOWN).map(oneLine).join(", ");
  return count > HOSTS_SHOWN ? `${shown} and ${count - HOSTS_SHOWN} more` : shown;
}

function drainedLines({ drained }: PlanView): string[] {
  const more = drained.length - DRAINED_SHOWN;
  const rows = drained
    .slice(0, DRAINED_SHOWN)
    .map(({ replica, host }) => [replica, host === null ? "" : `on ${oneLine(host)}`]);
  return [...indented(rows), ...(more > 0 ? [`  and ${more} more`] : [])];
}

function indented(rows: string[][]): string[] {
  return table(rows).map((line) => `  ${line}`);
}
