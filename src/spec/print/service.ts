import { readFlag } from "../schema/fields.ts";
import type { EntityRef, EnvSpec, GroupSpec, ModelSpec, RateLimitSpec, RolloutSpec, ServiceSpec } from "../types.ts";
import { type Fields, writeCount, writeEnv, writeFleets, writeHosting, writeImage, writeReplica } from "./group.ts";
import { writeProfile } from "./profile.ts";
import { isSame, unless, writeDuration, writeOffable, writeRef, writeShare } from "./scalars.ts";
import type { Written } from "./yaml.ts";

const DEFAULT_STOP_S = 300;

/** A service as a file would say it: what all groups have in common once, and nothing that is so anyway. */
export function writeService(spec: ServiceSpec): Fields {
  const router = spec.groups.find((group) => group.router?.generated);
  const groups = spec.groups.filter((group) => group !== router);
  const common = commonFields(groups, router);
  const plain = groups.length === 1 && isPlain(groups[0]!, common) ? groups[0]! : null;
  return {
    type: spec.type,
    name: spec.name,
    ...common.written,
    ...(plain === null ? {} : { ...writeCount(plain), commands: commandsOf(plain) }),
    ...writeRest(spec),
    router: router === undefined ? undefined : writeOuterRouter(router),
    groups: plain !== null ? undefined : groups.map((group, index) => writeGroup(group, index, common.left(group))),
  };
}

/** Whether the service itself can say all that the only group has. */
function isPlain(group: GroupSpec, common: Common): boolean {
  const says = Object.values(common.left(group)).some((value) => value !== undefined);
  return group.name === "0" && group.role === null && group.router === null && !says;
}

/** What the service says for its groups, and what is then left for a group to say itself. */
interface Common {
  written: Fields;
  left: (group: GroupSpec) => Fields;
}

/**
 * A router that was declared outside a group takes port, variables, fleets and the kind of host from the service, so
 * that what it has is what the service says.
 */
function commonFields(groups: readonly GroupSpec[], router: GroupSpec | undefined): Common {
  const env = router?.env ?? sharedBy(groups, (group) => group.env) ?? {};
  const image = sharedBy(groups, writeImage);
  const fieldsOf = (group: GroupSpec): Fields => ({
    port: group.port,
    ...writeReplica(group),
    ...writeHosting(group),
  });
  const fixed: Fields =
    router === undefined ? {} : { port: router.port, ...writeFleets(router), ...writeHosting(router) };
  const common = Object.fromEntries(
    Object.keys(fieldsOf(groups[0]!)).map((key) => {
      if (Object.hasOwn(fixed, key)) return [key, fixed[key]];
      return [key, sharedBy(groups, (group) => fieldsOf(group)[key]) ?? (key === "port" ? groups[0]?.port : undefined)];
    }),
  );
  return {
    written: { port: common.port, env: writeEnv(env), ...common, ...image },
    left: (group) => ({
      env: writeEnv(withoutSame(group.env, env)),
      ...Object.fromEntries(Object.entries(fieldsOf(group)).filter(([key, value]) => !isSame(value, common[key]))),
      ...(image === null ? writeImage(group) : {}),
    }),
  };
}

/** What all groups have alike; null where they differ. */
function sharedBy<T>(groups: readonly GroupSpec[], read: (group: GroupSpec) => T): T | null {
  const [first, ...rest] = groups.map(read);
  return first !== undefined && rest.every((value) => isSame(value, first)) ? first : null;
}

function withoutSame(own: EnvSpec, service: EnvSpec): EnvSpec {
  return Object.fromEntries(Object.entries(own).filter(([name, value]) => service[name] !== value));
}

function writeGroup(group: GroupSpec, index: number, left: Fields): Written {
  return {
    name: unless(String(index), group.name),
    role: group.role ?? undefined,
    router: group.router === null ? undefined : { type: group.router.type },
    ...writeCount(group),
    ...left,
    commands: commandsOf(group),
  };
}

function commandsOf(group: GroupSpec): Written | undefined {
  return group.commands.length === 0 ? undefined : group.commands;
}

function writeOuterRouter({ router }: GroupSpec): Written {
  return {
    type: router?.type,
    policy: router?.generated?.policy ?? undefined,
    pd_disaggregation: unless(false, router?.generated?.pdDisaggregation ?? false),
  };
}

function writeRest(spec: ServiceSpec): Fields {
  const { gateway } = spec;
  return {
    model: spec.model === null ? undefined : writeModel(spec.model),
    auth: unless(true, spec.auth),
    entrypoint: spec.entrypoint ?? undefined,
    shell: spec.shell ?? undefined,
    user: spec.user ?? undefined,
    working_dir: spec.workingDir ?? undefined,
    registry_auth: spec.registryAuth === null ? undefined : { ...spec.registryAuth },
    files:
      spec.files.length === 0 ? undefined : spec.files.map(({ localPath, path }) => ({ local_path: localPath, path })),
    priority: unless(0, spec.priority),
    gateway: gateway === null ? undefined : writeGateway(gateway),
    https: spec.https ?? undefined,
    strip_prefix: unless(true, spec.stripPrefix),
    rate_limits: spec.rateLimits.length === 0 ? undefined : spec.rateLimits.map(writeRateLimit),
    stop_duration: spec.stopDuration === DEFAULT_STOP_S ? undefined : writeOffable(spec.stopDuration),
    drain_timeout: spec.drainTimeout === null ? undefined : writeDuration(spec.drainTimeout),
    ...writeRollout(spec.rollout),
    ...writeProfile(spec.profile),
  };
}

/** A gateway may be called `on`, which as a word would say that there shall be one. */
function writeGateway(gateway: boolean | EntityRef): Written {
  if (typeof gateway === "boolean") return gateway;
  return readFlag(writeRef(gateway)) === null ? writeRef(gateway) : { name: gateway.name };
}

function writeModel({ name, prefix }: ModelSpec): Written {
  return prefix === "/v1" ? name : { name, format: "openai", prefix: prefix === "" ? "/" : prefix };
}

function writeRateLimit({ prefix, key, rps, burst }: RateLimitSpec): Written {
  return { prefix, key: key.type === "ip_address" ? undefined : { ...key }, rps, burst: unless(0, burst) };
}

function writeRollout({ maxSurge, maxUnavailable, canary }: RolloutSpec): Fields {
  return {
    max_surge: isSame(maxSurge, { replicas: 1 }) ? undefined : writeShare(maxSurge),
    max_unavailable: isSame(maxUnavailable, { replicas: 0 }) ? undefined : writeShare(maxUnavailable),
    canary: canary === null ? undefined : { replicas: writeShare(canary.share), hold: writeDuration(canary.holdS) },
  };
}
