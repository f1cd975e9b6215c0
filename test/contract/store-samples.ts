import { closedFleet } from "../../src/core/hosts/fleets.ts";
import type { FleetEntity, ReplicaEntity, RevisionEntity } from "../../src/core/state.ts";
import type { CommitBatch, Credential } from "../../src/store/types.ts";
import { serviceSpec, workerGroup } from "../support/specs.ts";

/** What the store's contract and its bench write: small, and telling one from another. */

export function fleet(id: string): FleetEntity {
  return { ...closedFleet(id), revision: 3 };
}

export function replica(serial: number): ReplicaEntity {
  return {
    kind: "replica",
    id: `llama-decode-${serial}`,
    service: "llama",
    group: "decode",
    revision: 1,
    status: "starting",
    since: 1_700_000_000_000 + serial,
    reason: "loading weights",
    deadline: null,
    unlistedIn: null,
    createdAt: 1_700_000_000_000,
    wasReady: false,
  };
}

/** The first revision of a service that is nothing but its name. */
export function revision(service: string): RevisionEntity {
  return {
    kind: "revision",
    id: `${service}@1`,
    service,
    number: 1,
    spec: serviceSpec(service, [workerGroup(1)]),
    sealed: {},
    secrets: {},
    images: {},
    files: [],
    pairing: "p1",
    createdAt: 1_700_000_000_000,
    createdBy: "ada",
  };
}

/** A commit that changes nothing but what is given. */
export function commitOf(
  project: string,
  version: number,
  commitId: string,
  rest: Partial<CommitBatch> = {},
): CommitBatch {
  return {
    project,
    version,
    commitId,
    at: 1_700_000_000_000 + version,
    cause: "test",
    actor: "controller",
    inputs: [],
    events: [],
    puts: [],
    deletes: [],
    wakeAt: null,
    idempotency: [],
    secrets: [],
    deletedSecrets: [],
    reliesOn: [],
    credentials: [],
    revokedTokens: [],
    ...rest,
  };
}

export function credential(project: string, id: string, rest: Partial<Credential> = {}): Credential {
  return {
    id,
    project,
    kind: "member",
    name: `name of ${id}`,
    hash: `hash of ${project}/${id}`,
    subject: null,
    createdAt: 1_700_000_000_000,
    expiresAt: null,
    usedAt: null,
    madeBy: null,
    ...rest,
  };
}

/** Entities or credentials in an order that does not depend on the store's. */
export function sorted<E extends { kind: string; id: string }>(rows: E[]): E[] {
  return rows.toSorted((a, b) => (`${a.kind} ${a.id}` < `${b.kind} ${b.id}` ? -1 : 1));
}
