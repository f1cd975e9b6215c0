import type { Finding } from "../finding.ts";
import type { Path } from "../yaml/node.ts";
import { atKey, atValue, countKey, countOf, groupsKey, groupsOf, isSet, type Raw } from "./raw.ts";

/**
 * A range needs `scaling` to choose within it; a fixed number leaves nothing to choose. That routers have no range is
 * said by `checkRouters`.
 */
export function checkCounts(service: Raw): Finding[] {
  if (groupsKey(service) === null) return checkScaling(service, "replicas", []);
  return groupsOf(service).flatMap(({ raw, path }) => {
    const key = countKey(raw);
    if (key !== null) return checkScaling(raw, key, path);
    return [
      atValue([...path, "count"], "This group does not say how many replicas it has; write for example `count: 1`."),
    ];
  });
}

/** `count` is the older word for `replicas`: of two that differ the newer holds, which is worth a note. */
export function noteOtherCounts(service: Raw): Finding[] {
  return groupsOf(service).flatMap(({ raw, path }) => {
    if (!isSet(raw, "count") || !isSet(raw, "replicas")) return [];
    const [count, replicas] = [countOf(raw.count), countOf(raw.replicas)];
    if (count === null || replicas === null || (count.min === replicas.min && count.max === replicas.max)) return [];
    return [
      atKey(
        [...path, "count"],
        "`count` is the older word for `replicas`, which stands beside it and holds; remove `count`.",
      ),
    ];
  });
}

function checkScaling(raw: Raw, key: "replicas" | "count", path: Path): Finding[] {
  const count = isSet(raw, key) ? countOf(raw[key]) : { min: 1, max: 1 };
  if (count === null) return [];
  const fixed = count.min === count.max;
  const routes = isSet(raw, "router");
  if (!fixed && !routes && !isSet(raw, "scaling")) {
    const message = `\`${key}: ${count.min}..${count.max}\` is a range, and nothing says when to grow; write \`scaling\` beside it, for example \`scaling: {metric: rps, target: 3}\`, or one number.`;
    return [atValue([...path, key], message)];
  }
  if (fixed && isSet(raw, "scaling")) {
    const message = `\`scaling\` has nothing to do with a fixed number of replicas; write a range such as \`${key}: ${count.min}..${count.min + 3}\`, or remove \`scaling\`.`;
    return [atKey([...path, "scaling"], message)];
  }
  return [];
}
