import type { HostView } from "../control/views/views.ts";
import { buildText } from "./build-text.ts";
import { type Colors, oneLine } from "./style.ts";

/** What is wrong on many hosts alike is said once; so many of them are named. */
const NAMED_MAX = 5;
/** Lines below a list: who has more trouble begins with these, and looks at single hosts then. */
const LINES_MAX = 20;

interface Wrong {
  kind: "problem" | "warning";
  text: string;
}

/** How much is wrong with a host: what `wrongLines` says of it, and what it does not reach. */
export function wrongCount(host: HostView): number {
  return wrongOf(host).length;
}

/** All that is wrong with hosts, each thing once and in full, problems first. */
export function wrongLines(hosts: HostView[], colors: Colors): string[] {
  const all = hosts.flatMap((host) => wrongOf(host).map((wrong) => ({ ...wrong, name: oneLine(host.name) })));
  const alike = [...Map.groupBy(all, ({ kind, text }) => `${kind} ${text}`).values()];
  const sorted = alike.toSorted((a, b) => rank(a[0]) - rank(b[0]));
  const lines = sorted.slice(0, LINES_MAX).map((ones) => {
    const { kind, text } = ones[0] as Wrong;
    const mark = kind === "problem" ? colors.red("problem:") : colors.yellow("warning:");
    return `${mark} ${named(ones.map(({ name }) => name))}: ${text}`;
  });
  const left = sorted.length - lines.length;
  return left === 0 ? lines : [...lines, `and ${left} more: headrace host show has all that is wrong with a host`];
}

function wrongOf(host: HostView): Wrong[] {
  const { problems, warnings } = host;
  return [
    ...problems.map(({ message }): Wrong => ({ kind: "problem", text: oneLine(message) })),
    ...failedUpdate(host),
    ...warnings.map((warning): Wrong => ({ kind: "warning", text: oneLine(warning) })),
  ];
}

/** What stops the update of its fleet. */
function failedUpdate({ fleet, agentUpdate }: HostView): Wrong[] {
  if (agentUpdate === null || agentUpdate.failed === null) return [];
  const what = `build ${buildText(agentUpdate.build)} of the agent does not run there: ${oneLine(agentUpdate.failed)}`;
  const goOn = `No more hosts of fleet ${oneLine(fleet)} update: headrace apply -f its file goes on, as does another build.`;
  return [{ kind: "warning", text: `${what}. ${goOn}` }];
}

function rank(wrong: Wrong | undefined): number {
  return wrong?.kind === "problem" ? 0 : 1;
}

function named(names: string[]): string {
  const shown = names.slice(0, NAMED_MAX).join(", ");
  return names.length > NAMED_MAX ? `${shown} and ${names.length - NAMED_MAX} more` : shown;
}
