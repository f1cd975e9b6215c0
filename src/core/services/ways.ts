import { diffSpecs, type SpecChange, type SpecField } from "../../spec/index.ts";
import type { GroupSpec, ProfileParams, RouterSpec } from "../../spec/types.ts";
import type { RevisionEntity } from "../state.ts";

/**
 * How a change of a running service is made:
 * - `in_place`: what runs stays as it is, since only the control plane or the proxy reads the field, or since it says
 *   how many there are. They read it from the current revision, so a field is moved here only together with its readers.
 * - `rolled`: the groups concerned get new replicas, one after another, while the old ones serve.
 * - `replaced`: the old and the new cannot serve side by side, so the service stops and is created anew.
 */
export type Way = "in_place" | "rolled" | "replaced";

export interface PlannedChange extends SpecChange {
  way: Way;
}

const SERVICE: Record<Extract<SpecField, { of: "service" }>["key"], Way> = {
  // The proxy alone reads these, of each request anew.
  model: "in_place",
  auth: "in_place",
  stripPrefix: "in_place",
  rateLimits: "in_place",
  gateway: "in_place",
  https: "in_place",
  // A login is used when an image is pulled: one that was rotated must not restart what has its image.
  registryAuth: "in_place",
  // Read by the controller when it places, drains, or makes the next rollout.
  priority: "in_place",
  stopDuration: "in_place",
  drainTimeout: "in_place",
  rollout: "in_place",
  // What every replica is started with.
  entrypoint: "rolled",
  shell: "rolled",
  user: "rolled",
  workingDir: "rolled",
  files: "rolled",
};

const PROFILE: Record<keyof ProfileParams, Way> = {
  // Where replicas may run: those that run elsewhere have to move, one after another.
  backends: "rolled",
  regions: "rolled",
  availabilityZones: "rolled",
  instanceTypes: "rolled",
  maxPrice: "rolled",
  instances: "rolled",
  backendOptions: "rolled",
  // Read by the controller, of the service as it is now or for hosts that are yet to come.
  retry: "in_place",
  maxDurationS: "in_place",
  creationPolicy: "in_place",
  idleDurationS: "in_place",
  utilizationPolicy: "in_place",
  tags: "in_place",
  // How the nodes of a replica start and end: agreed when it starts.
  startupOrder: "rolled",
  stopCriteria: "rolled",
};

const GROUP: Record<Exclude<keyof GroupSpec, "name" | "router">, Way> = {
  count: "in_place",
  scaling: "in_place",
  // What a replica is started with and asked.
  commands: "rolled",
  image: "rolled",
  python: "rolled",
  nvcc: "rolled",
  docker: "rolled",
  privileged: "rolled",
  env: "rolled",
  port: "rolled",
  probes: "rolled",
  volumes: "rolled",
  role: "rolled",
  nodes: "rolled",
  // Where it may run.
  resources: "rolled",
  fleets: "rolled",
  spotPolicy: "rolled",
  reservation: "rolled",
};

const ROUTER: Record<keyof RouterSpec | "presence", Way> = {
  // Workers are started and asked in another way behind a router, and behind one of another kind.
  presence: "replaced",
  type: "replaced",
  // Its launch line.
  generated: "rolled",
};

const GROUPS: Record<Extract<SpecField, { of: "groups" }>["key"], Way> = {
  // As with a router that appears within a group.
  router: "replaced",
  // Replicas come, or are drained as those that are too many are.
  other: "in_place",
};

/** One word for each field of a spec: a field without one does not compile. */
export const WAYS = { service: SERVICE, profile: PROFILE, group: GROUP, router: ROUTER, groups: GROUPS };

function wayOf(field: SpecField): Way {
  switch (field.of) {
    case "service":
      return WAYS.service[field.key];
    case "profile":
      return WAYS.profile[field.key];
    case "group":
      return WAYS.group[field.key];
    case "router":
      return WAYS.router[field.key];
    case "groups":
      return WAYS.groups[field.key];
  }
}

/** What of a revision can differ from the one before. */
export type Revised = Pick<RevisionEntity, "spec" | "sealed" | "secrets" | "images" | "files">;

/** What a new revision changes of the one before, and how. */
export function plannedChanges(before: Revised, after: Revised): PlannedChange[] {
  const others = {
    env: otherVersions(before.sealed, after.sealed),
    secrets: otherVersions(before.secrets, after.secrets),
  };
  const changes = [
    ...diffSpecs(before.spec, after.spec, others),
    ...changedImages(before, after),
    ...changedFiles(before, after),
  ];
  return changes.map((change) => ({ ...change, way: wayOf(change.field) }));
}

/** The names that both have, with another version. */
function otherVersions(before: Record<string, string>, after: Record<string, string>): Set<string> {
  return new Set(Object.keys(after).filter((name) => Object.hasOwn(before, name) && before[name] !== after[name]));
}

/**
 * Groups that name no image, neither before nor now, and run in another one since the server's settings are others. One
 * that has come or gone is told as the group's, and what the file says of images as its fields.
 */
function changedImages(
  before: Pick<Revised, "spec" | "images">,
  after: Pick<Revised, "spec" | "images">,
): SpecChange[] {
  const was = new Map(before.spec.groups.map((group) => [group.name, group]));
  return after.spec.groups.flatMap(({ name, image }) => {
    const old = was.get(name);
    const [from, to] = [before.images[name] ?? NO_IMAGE, after.images[name] ?? NO_IMAGE];
    if (old === undefined || old.image !== null || image !== null || from === to) return [];
    const label = `image of group ${name} (the server's)`;
    return [{ field: { of: "group", key: "image" }, path: "image", groups: [name], label, from, to, lines: [] }];
  });
}

const NO_IMAGE = "(none)";

/** Files and folders that are where they were, with other contents. */
function changedFiles(
  before: Pick<RevisionEntity, "files">,
  after: Pick<RevisionEntity, "spec" | "files">,
): SpecChange[] {
  const known = new Map(before.files.map((file) => [file.path, file]));
  return after.files.flatMap(({ path, sha256, bytes }) => {
    const old = known.get(path);
    if (old === undefined || old.sha256 === sha256) return [];
    const label = `files: ${path}`;
    const groups = after.spec.groups.map(({ name }) => name);
    const [from, to] = [`${old.bytes} bytes`, `${bytes} other bytes`];
    return [{ field: { of: "service", key: "files" }, path: label, groups, label, from, to, lines: [] }];
  });
}

/** A change on one line, as the journal keeps it. */
export function describeChange({ label, from, to }: SpecChange): string {
  return `${label} ${from} -> ${to}`;
}

/** Why a running service cannot be changed so, or null. Until rollouts exist, it changes in place or not at all. */
export function refusalOfChanges(service: string, changes: readonly PlannedChange[]): string | null {
  const of = (way: Way) => changes.filter((change) => change.way === way).map(({ label }) => label);
  const [rolled, replaced] = [of("rolled"), of("replaced")];
  if (rolled.length + replaced.length === 0) return null;
  const why: string[] = [];
  if (rolled.length > 0) {
    why.push(
      `${rolled.join(", ")} can change only with new replicas (rolled), and this version cannot replace them while they serve`,
    );
  }
  if (replaced.length > 0) why.push(`${replaced.join(", ")} cannot change while it runs`);
  return (
    `service ${service} is running. ${why.join(". ")}. ` +
    `To have it now: headrace stop ${service}, then apply again; nobody is served in between`
  );
}

/** Whether a group's replicas would be others: its strongest change, or null where nothing of it changes. */
export function wayOfGroup(group: string, changes: readonly PlannedChange[]): Way | null {
  const ways = changes.filter((change) => change.groups.includes(group)).map(({ way }) => way);
  return (["replaced", "rolled", "in_place"] as const).find((way) => ways.includes(way)) ?? null;
}
