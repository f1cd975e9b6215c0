import { Draft } from "../draft.ts";
import type { Answer, Input } from "../input.ts";
import { groupReasons, Placer } from "../placement/placement.ts";
import type { ProjectState } from "../project-state.ts";
import { addressesFor } from "../render/addresses.ts";
import { isDraining } from "../replicas/lifecycle.ts";
import type { Millis, ReplicaEntity } from "../state.ts";
import { step } from "../step.ts";
import { currentRevision, groupOfReplica, revisionId, revisionOf } from "./revision.ts";
import { planWarnings } from "./warnings.ts";
import { type PlannedChange, plannedChanges, type Way, wayOfGroup } from "./ways.ts";

/** What an apply would do now. */
export interface Plan {
  /** As the apply would be answered; a refused one has its changes all the same. */
  answer: Answer;
  /** To the service as it is, or as it was when it was stopped: then all of it is made anew. */
  changes: PlannedChange[];
  /** What becomes of each group, those that go last. */
  groups: { name: string; way: Way | "unchanged" | "added" | "removed" }[];
  placements: PlannedPlacement[];
  /** Replicas that would be drained, with the hosts that they run on. */
  drained: { replica: string; group: string; host: string | null }[];
  warnings: string[];
}

/** How many new replicas of a group go to a host, or fit nowhere and why. */
export interface PlannedPlacement {
  group: string;
  host: string | null;
  replicas: number;
  /** Without hosts: why none is looked for yet. */
  reasons: { reason: string; hosts: string[] }[];
}

type Apply = Extract<Input, { kind: "apply" }>;

/** Decides an apply without doing it. Pure, like `step`. */
export function planApply(state: ProjectState, input: Apply, now: Millis): Plan {
  const result = step(state, [input], now);
  const answer = result.answers[0] as Answer;
  const changes = changesTo(state, input);
  const plan = { answer, changes, groups: groupsOf(state, input, changes) };
  if (answer.kind !== "applied") return { ...plan, placements: [], drained: [], warnings: [] };
  const draft = new Draft(state);
  for (const entity of result.changes.puts) draft.put(entity);
  for (const { kind, id } of result.changes.deletes) draft.delete(kind, id);
  const revision = draft.must("revision", revisionId(input.spec.name, answer.revision));
  return {
    ...plan,
    placements: placementsIn(draft, input),
    drained: drainedIn(draft, input.spec.name),
    warnings: planWarnings(draft, revision),
  };
}

function changesTo(state: ProjectState, input: Apply): PlannedChange[] {
  const service = state.tables.service.byId.get(input.spec.name);
  if (!service) return [];
  const changes = plannedChanges(currentRevision(state, service), input);
  return service.status === "running" ? changes : changes.map((change) => ({ ...change, way: "replaced" }));
}

function groupsOf(state: ProjectState, { spec }: Apply, changes: PlannedChange[]): Plan["groups"] {
  const service = state.tables.service.byId.get(spec.name);
  const before = service?.status === "running" ? currentRevision(state, service).spec.groups : [];
  const has = (groups: readonly { name: string }[], wanted: string) => groups.some(({ name }) => name === wanted);
  return [
    ...spec.groups.map(({ name }) => ({
      name,
      way: has(before, name) ? (wayOfGroup(name, changes) ?? ("unchanged" as const)) : ("added" as const),
    })),
    ...before.filter(({ name }) => !has(spec.groups, name)).map(({ name }) => ({ name, way: "removed" as const })),
  ];
}

/** In the order of the file; within a group as they were placed, those that fit nowhere last. */
function placementsIn(draft: Draft, { spec }: Apply): PlannedPlacement[] {
  const placer = new Placer(draft, (job) => groupOfReplica(draft, draft.must("replica", job.replica)).spec);
  const placements: PlannedPlacement[] = [];
  const add = (group: string, host: string | null, reasons: () => PlannedPlacement["reasons"]) => {
    const same = placements.find((placement) => placement.group === group && placement.host === host);
    if (same) same.replicas += 1;
    else placements.push({ group, host, replicas: 1, reasons: reasons() });
  };
  const isNew = (replica: ReplicaEntity) => !draft.state.tables.replica.byId.has(replica.id);
  const replicas = draft.by("replica", "service", spec.name).filter(isNew);
  for (const { name } of spec.groups) {
    const ofGroup = replicas.filter((replica) => replica.group === name);
    for (const replica of ofGroup) {
      const [job] = draft.by("job", "replica", replica.id);
      if (job) add(name, draft.must("host", job.host).name, () => []);
    }
    for (const replica of ofGroup) {
      if (draft.by("job", "replica", replica.id).length > 0) continue;
      add(name, null, () => {
        const addresses = addressesFor(draft, replica);
        if (!addresses.ok) return [{ reason: addresses.reason, hosts: [] }];
        const fit = placer.place(name, revisionOf(draft, replica), groupOfReplica(draft, replica));
        return "reasons" in fit ? groupReasons(fit) : [];
      });
    }
  }
  return placements;
}

function drainedIn(draft: Draft, service: string): Plan["drained"] {
  const was = draft.state.tables.replica.byId;
  return draft
    .by("replica", "service", service)
    .filter((replica) => {
      const before = was.get(replica.id);
      return before !== undefined && isDraining(replica) && !isDraining(before);
    })
    .map((replica) => {
      const [job] = draft.by("job", "replica", replica.id);
      return { replica: replica.id, group: replica.group, host: job ? draft.must("host", job.host).name : null };
    });
}
