import type { Finding } from "../finding.ts";
import { quote } from "../quote.ts";
import { ROUTER_GROUP } from "../schema/router.ts";
import { atKey, atValue, countKey, countOf, groupsOf, isMapping, isSet, type Raw, type RawGroup } from "./raw.ts";

/** At most one group routes, and it says so in one way. */
export function checkRouters(service: Raw): Finding[] {
  const groups = groupsOf(service);
  const routers = groups.filter(({ raw }) => isSet(raw, "router"));
  return [
    ...routers
      .slice(1)
      .map(({ path }) => atKey([...path, "router"], "Only one group can have a `router`; remove this one.")),
    ...routers.flatMap(checkRouterCount),
    ...groups.flatMap(checkRole),
    ...(isSet(service, "router") ? groups.flatMap(checkBesideOuter) : []),
  ];
}

/** Of a router on the service a group is made, which the service must leave room for. */
function checkBesideOuter({ raw, path }: RawGroup): Finding[] {
  if (isSet(raw, "router")) {
    const message = "The service has a `router` of its own, which becomes a group; keep that one or this one.";
    return [atKey([...path, "router"], message)];
  }
  if (raw.name !== ROUTER_GROUP) return [];
  const message = `The service's own \`router\` becomes a group of this name; give this group another one, or write \`router: {type: smg}\` into it and remove the service's.`;
  return [atValue([...path, "name"], message)];
}

/**
 * Dynamo's router keeps state beside it (etcd, NATS), so there is one. Several SMG routers share nothing and are fine,
 * but scaling watches the workers, so their number is fixed.
 */
function checkRouterCount({ raw, path }: RawGroup): Finding[] {
  const key = countKey(raw);
  const count = key === null ? null : countOf(raw[key]);
  if (key === null || count === null) return [];
  const dynamo = isMapping(raw.router) && raw.router.type === "dynamo";
  if (dynamo && (count.min !== 1 || count.max !== 1)) {
    return [atValue([...path, key], `A group with a dynamo router has exactly one replica; write \`${key}: 1\`.`)];
  }
  if (count.min === count.max && count.min > 0) return [];
  return [
    atValue([...path, key], `A group with a router has a fixed number of replicas, at least one; write \`${key}: 1\`.`),
  ];
}

function checkRole({ raw, path }: RawGroup): Finding[] {
  const role = raw.role;
  if (role === "router" && !isSet(raw, "router")) {
    return [
      atValue([...path, "role"], "A group becomes the router by its `router` field; write `router: {type: smg}`."),
    ];
  }
  if (typeof role === "string" && role !== "router" && isSet(raw, "router")) {
    return [atValue([...path, "role"], `A group with a \`router\` cannot be ${quote(role)} too; remove one of them.`)];
  }
  return [];
}
