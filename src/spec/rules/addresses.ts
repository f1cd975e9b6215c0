import type { Finding } from "../finding.ts";
import { type Reference, readTemplate, writeReference } from "../grammar/interpolation.ts";
import { quote } from "../quote.ts";
import type { Path } from "../yaml/node.ts";
import { atValue, countKey, countOf, type RawGroup } from "./raw.ts";

type Address = Extract<Reference, { kind: "address" }>;

/** A group whose commands name where a replica of another one runs, and the place that says so. */
interface Wait {
  from: number;
  address: Address;
  path: Path;
}

/** Addresses are of replicas that always run, and no group waits for itself, be it through others. */
export function checkAddresses(groups: readonly RawGroup[]): Finding[] {
  const waits = groups.flatMap(waitsOf);
  const targets = new Map<number, Set<number>>();
  for (const { from, address } of waits) {
    const known = targets.get(from) ?? new Set();
    targets.set(from, known.add(address.group));
  }
  return waits.flatMap((wait) => {
    const message = explainTarget(wait.address, groups) ?? explainCircle(wait, targets);
    return message === null ? [] : [atValue(wait.path, message)];
  });
}

function waitsOf({ raw, path, index }: RawGroup): Wait[] {
  if (!Array.isArray(raw.commands)) return [];
  return raw.commands.flatMap((command, line) => {
    const read = typeof command === "string" ? readTemplate(command) : null;
    if (!read?.ok) return [];
    const addresses = read.value.filter((part): part is Address => typeof part !== "string" && part.kind === "address");
    return addresses.map((address) => ({ from: index, address, path: [...path, "commands", line] }));
  });
}

function explainTarget(address: Address, groups: readonly RawGroup[]): string | null {
  const name = quote(writeReference(address));
  const target = groups.find(({ index }) => index === address.group);
  if (target === undefined) {
    const are = groups.length === 1 ? "there is only groups[0]" : `there are groups[0] to groups[${groups.length - 1}]`;
    return `${name} names no group; ${are}.`;
  }
  const least = leastOf(target);
  if (least === null || address.replica < least) return null;
  if (least === 0) {
    return `${name} may be nowhere: groups[${address.group}] can have no replica at all; let it begin with at least 1.`;
  }
  const replicas = least === 1 ? "only replicas[0]" : `replicas[0] to replicas[${least - 1}]`;
  return `${name} names a replica that need not be there; of groups[${address.group}] always run ${replicas}.`;
}

/** How many replicas a group always has; null where that cannot be read. */
function leastOf({ raw, path }: RawGroup): number | null {
  // A service without groups is the only one there is, and has one replica unless it says something else.
  const key = countKey(raw);
  if (key === null) return path.length === 0 ? 1 : null;
  return countOf(raw[key])?.min ?? null;
}

function explainCircle({ from, address }: Wait, targets: ReadonlyMap<number, ReadonlySet<number>>): string | null {
  const reached = new Set<number>();
  const next = [address.group];
  for (let group = next.pop(); group !== undefined; group = next.pop()) {
    if (reached.has(group)) continue;
    reached.add(group);
    next.push(...(targets.get(group) ?? []));
  }
  if (!reached.has(from)) return null;
  if (address.group === from) {
    return `groups[${from}] would wait for its own address before it starts; a replica knows it as \`$HEADRACE_ADDRESS\`.`;
  }
  return `groups[${from}] waits for groups[${address.group}], which waits for groups[${from}]: neither could start; remove one of the two references.`;
}
