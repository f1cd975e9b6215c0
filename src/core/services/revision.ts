import { dialsOf, resolveGroup } from "../../adapters/index.ts";
import type { Dial, ResolvedGroup } from "../../adapters/types.ts";
import { type Reference, referencesOf } from "../../spec/grammar/interpolation.ts";
import type { GroupSpec, InstanceRef } from "../../spec/types.ts";
import type { Draft } from "../draft.ts";
import { DRAIN_DEFAULT_MS } from "../limits.ts";
import type { ProjectState } from "../project-state.ts";
import type { ReplicaEntity, RevisionEntity, ServiceEntity } from "../state.ts";

/** A group of a revision with what the adapters read out of its commands. */
export interface RevisionGroup {
  spec: GroupSpec;
  resolved: ResolvedGroup;
  /** What its containers are made of; null = it names none, and the server has none for it. */
  image: string | null;
  /** The hosts that the service keeps to; null = any. */
  instances: InstanceRef[] | null;
  /** Replicas whose addresses its commands ask for. */
  addresses: Extract<Reference, { kind: "address" }>[];
}

/** Revisions never change, so what is read out of them is read once. */
const groupsOfRevision = new WeakMap<RevisionEntity, Map<string, RevisionGroup>>();

export function revisionGroups(revision: RevisionEntity): ReadonlyMap<string, RevisionGroup> {
  let groups = groupsOfRevision.get(revision);
  if (!groups) {
    groups = new Map(
      revision.spec.groups.map((spec) => {
        const resolved = resolveGroup(revision.spec, spec);
        const addresses = resolved.commands.flatMap(referencesOf).filter((reference) => reference.kind === "address");
        const image = spec.image ?? revision.images[spec.name] ?? null;
        return [spec.name, { spec, resolved, image, instances: revision.spec.profile.instances, addresses }];
      }),
    );
    groupsOfRevision.set(revision, groups);
  }
  return groups;
}

const dialsOfRevision = new WeakMap<RevisionEntity, readonly Dial[]>();

/** The connections that replicas of a revision open to each other. */
export function dialsIn(revision: RevisionEntity): readonly Dial[] {
  let dials = dialsOfRevision.get(revision);
  if (!dials) {
    dials = dialsOf([...revisionGroups(revision).values()].map(({ resolved }) => resolved));
    dialsOfRevision.set(revision, dials);
  }
  return dials;
}

export function revisionId(service: string, number: number): string {
  return `${service}@${number}`;
}

/** Anything that revisions can be read from. */
export type RevisionSource = Draft | ProjectState;

/** The revision a replica was made from. */
export function revisionOf(source: RevisionSource, of: { service: string; revision: number }): RevisionEntity {
  const id = revisionId(of.service, of.revision);
  const revision = "tables" in source ? source.tables.revision.byId.get(id) : source.get("revision", id);
  if (!revision) throw new Error(`state is broken: no revision ${id}`);
  return revision;
}

export function currentRevision(source: RevisionSource, service: ServiceEntity): RevisionEntity {
  return revisionOf(source, { service: service.id, revision: service.revision });
}

export function groupOfReplica(source: RevisionSource, replica: ReplicaEntity): RevisionGroup {
  const group = revisionGroups(revisionOf(source, replica)).get(replica.group);
  if (!group)
    throw new Error(
      `state is broken: revision ${replica.revision} of ${replica.service} has no group ${replica.group}`,
    );
  return group;
}

/** Whether requests reach the workers through a router of the service. */
export function hasRouter(revision: RevisionEntity): boolean {
  return [...revisionGroups(revision).values()].some((group) => group.resolved.role === "router");
}

/** How long a drain of one of its replicas may take. */
export function drainTimeMs(revision: RevisionEntity): number {
  const seconds = revision.spec.drainTimeout ?? revision.spec.stopDuration;
  return seconds === null ? DRAIN_DEFAULT_MS : seconds * 1_000;
}
