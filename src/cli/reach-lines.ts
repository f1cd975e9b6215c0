import type { HostView } from "../control/views/views.ts";
import { type Colors, oneLine } from "./style.ts";
import { showSpan } from "./time-span.ts";

/** Hosts that are named in a line, and lines of hosts: a person begins with the first, whatever the number. */
const NAMED_MAX = 5;

type Unreached = HostView["unreached"][number];

/** The mark of a host in a list; null where all that tried reach each other. */
export function reachMark({ unreached }: HostView): string | null {
  const others = new Set(unreached.map(({ id }) => id)).size;
  return others === 0 ? null : `out of reach of ${others}`;
}

/** Which hosts a host does not reach, and which do not reach it, where, why and since when; and what to do. */
export function reachLines(host: HostView, now: number, colors: Colors): string[] {
  const { unreached } = host;
  if (unreached.length === 0) return [];
  const to = unreached.filter(({ direction }) => direction === "to");
  const from = unreached.filter(({ direction }) => direction === "from");
  const alike = Map.groupBy(from, ({ ports, why }) => `${ports} ${why}`);
  const lines = [
    ...[...alike.values()].map((ways) => {
      const names = listed(ways.map(({ name }) => name));
      return `${names} ${ways.length === 1 ? "does" : "do"} not reach it at ${whatOf(ways, now)}`;
    }),
    ...to.slice(0, NAMED_MAX).map((way) => `it does not reach ${oneLine(way.name)} at ${whatOf([way], now)}`),
    ...(to.length > NAMED_MAX ? [`it does not reach ${to.length - NAMED_MAX} more hosts`] : []),
  ];
  return [
    ...lines.map((line) => `${colors.red("unreached:")} ${line}`),
    "Open these ports between the hosts of its fleet (firewalls, a cloud's rules), or give it the address that they",
    "reach it by (--address): docs/hosts.md, Hosts that cannot reach each other.",
  ];
}

function whatOf(ways: Unreached[], now: number): string {
  const { address, ports, why } = ways[0] as Unreached;
  const since = Math.min(...ways.map((way) => way.since));
  const where = `${oneLine(address)} ${ports.length === 1 ? "port" : "ports"} ${ports.join(", ")}`;
  return `${where}: ${oneLine(why)}, for ${showSpan(now - since)}`;
}

function listed(names: string[]): string {
  const shown = names.slice(0, NAMED_MAX).map(oneLine);
  if (names.length > NAMED_MAX) return `${shown.join(", ")} and ${names.length - NAMED_MAX} more`;
  return shown.length === 1 ? (shown[0] ?? "") : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`;
}
