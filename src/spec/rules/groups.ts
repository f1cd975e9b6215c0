import type { Finding } from "../finding.ts";
import { MAX_GROUPS } from "../limits.ts";
import { quote } from "../quote.ts";
import { atKey, atValue, groupsKey, groupsOf, hasCommands, isSet, type Raw, type RawGroup } from "./raw.ts";

/** Which of the spellings of groups are used, and what stands where once there are groups. */
export function checkGroups(service: Raw): Finding[] {
  const key = groupsKey(service);
  if (key === null) return checkWithoutGroups(service);
  const groups = groupsOf(service);
  return [
    ...checkSpelling(service, key),
    ...checkMovedIntoGroups(service),
    ...checkNames(groups),
    ...groups.flatMap((group) => checkHasWork(group, service)),
  ];
}

function checkWithoutGroups(service: Raw): Finding[] {
  if (hasCommands(service) || isSet(service, "image")) return [];
  return [
    atValue([], "The service has nothing to run; write `commands`, an `image` that starts by itself, or `groups`."),
  ];
}

function checkSpelling(service: Raw, key: "groups" | "replicas"): Finding[] {
  const found: Finding[] = [];
  if (isSet(service, "groups") && isSet(service, "replicas")) {
    found.push(
      atKey(
        ["replicas"],
        "`replicas` cannot stand beside `groups`; write the number of each group as its own `replicas`.",
      ),
    );
  }
  const list = service[key];
  if (!Array.isArray(list)) return found;
  if (list.length === 0)
    found.push(atValue([key], `The list of groups is empty; write at least one group or remove \`${key}\`.`));
  if (list.length > MAX_GROUPS)
    found.push(atValue([key], `There are ${list.length} groups; a service has at most ${MAX_GROUPS}.`));
  return found;
}

function checkMovedIntoGroups(service: Raw): Finding[] {
  return ["scaling", "commands"]
    .filter((key) => isSet(service, key))
    .map((key) => atKey([key], `With groups \`${key}\` belongs to each group; move it into the groups it is for.`));
}

function checkNames(groups: RawGroup[]): Finding[] {
  const found: Finding[] = [];
  const seen = new Map<string, RawGroup>();
  for (const group of groups) {
    const name = String(group.raw.name ?? group.index);
    const first = seen.get(name);
    if (first === undefined) {
      seen.set(name, group);
      continue;
    }
    const path = isSet(group.raw, "name") ? [...group.path, "name"] : group.path;
    found.push(
      atValue(
        path,
        `Two groups are named ${quote(name)} (a group without name is named by its position, from 0); give this one another name.`,
      ),
    );
  }
  return found;
}

function checkHasWork(group: RawGroup, service: Raw): Finding[] {
  if (hasCommands(group.raw) || isSet(group.raw, "image") || isSet(service, "image")) return [];
  return [
    atValue(
      [...group.path, "commands"],
      "This group has nothing to run; write its `commands`, or an `image` that starts by itself.",
    ),
  ];
}
