import { Draft } from "./draft.ts";
import { handleInput } from "./handle.ts";
import { dueKeyOf, fleetOfDueKey, rollAgents } from "./hosts/agent-updates.ts";
import { weighFleet } from "./hosts/silence.ts";
import type { Answer, Effect, Input } from "./input.ts";
import { placeWaiting } from "./placement/place.ts";
import { Placer } from "./placement/placement.ts";
import type { Changes, ProjectState } from "./project-state.ts";
import { finishService, prepareService } from "./reconcile.ts";
import { routersOf } from "./replicas/let-go.ts";
import { sealedNamesOf, secretName } from "./secrets/sealed-names.ts";
import { groupOfReplica } from "./services/revision.ts";
import type { JobEntity, JournalEvent, Millis, RevisionEntity } from "./state.ts";

/** Everything that one step decided. */
export interface StepResult {
  /** Empty when nothing has to be written. */
  changes: Changes;
  events: JournalEvent[];
  effects: Effect[];
  /** Names of sealed values that no revision refers to any more. */
  unusedSecrets: string[];
  /** One for each input, in their order. */
  answers: Answer[];
  /** For each service and fleet that was looked at: when time alone can next change something; null = never. */
  due: Map<string, Millis | null>;
  /** The same for the whole project. */
  wakeAt: Millis | null;
}

/** What a step looks at, and what it has found out so far. */
export interface StepContext {
  readonly draft: Draft;
  readonly now: Millis;
  readonly placer: Placer;
  /** Services to look at. */
  readonly touched: Set<string>;
  /** Fleets whose hosts' silence is to be weighed. */
  readonly weighed: Set<string>;
  /** Fleets whose hosts' agents may be at another build than they should be. */
  readonly rolled: Set<string>;
  /** Set when a host has room that it had not before: whoever waits for room is looked at again. */
  roomFreed: boolean;
}

/**
 * Decides. Pure: the same state, inputs and time give the same result, and the state is left as it is. Looks only at
 * the services that the inputs concern and at those that are due.
 */
export function step(state: ProjectState, inputs: Input[], now: Millis): StepResult {
  const draft = new Draft(state);
  const groupOf = (job: JobEntity) => groupOfReplica(draft, draft.must("replica", job.replica)).spec;
  const context: StepContext = {
    draft,
    now,
    placer: new Placer(draft, groupOf),
    touched: new Set(),
    weighed: new Set(),
    rolled: new Set(),
    roomFreed: false,
  };
  const answers = inputs.map((input) => handleInput(context, input));
  for (const fleet of [...context.weighed].sort()) weighFleet(context, fleet);
  for (const [key, at] of state.due) if (at <= now) lookAtDue(context, key);

  const due = reconcileTouched(context);
  const looked = [...due.keys()];
  for (const fleet of [...context.rolled].sort()) due.set(dueKeyOf(fleet), rollAgents(context, fleet));
  const changes = draft.changes();
  const isEmpty = changes.puts.length === 0 && changes.deletes.length === 0;
  return {
    changes,
    events: draft.events,
    effects: isEmpty ? [] : wakeEffects(draft, changes, looked),
    unusedSecrets: unusedSecrets(draft, changes, inputs),
    answers,
    due,
    wakeAt: earliest(state.due, due),
  };
}

function lookAtDue({ touched, rolled }: StepContext, key: string): void {
  const fleet = fleetOfDueKey(key);
  if (fleet === null) touched.add(key);
  else rolled.add(fleet);
}

/**
 * Reconciles what was touched and, if that made room somewhere, what waits for room as well. Hosts are found for all of
 * them together, so that whoever has priority comes first and room that one gives up can go to another.
 */
function reconcileTouched(context: StepContext): Map<string, Millis | null> {
  const { draft, touched } = context;
  for (const service of [...touched].sort()) prepareService(context, service);
  if (context.roomFreed) {
    const waiting = new Set<string>();
    for (const replica of draft.by("replica", "waits", "true")) waiting.add(replica.service);
    for (const service of [...waiting].sort()) {
      if (!touched.has(service)) prepareService(context, service);
      touched.add(service);
    }
  }
  placeWaiting(context, touched);
  return new Map([...touched].sort().map((service) => [service, finishService(context, service)]));
}

/**
 * Hosts whose desired state may be another one now: those with a job that is new, gone or in another phase, those whose
 * address is another one, those that are told to update their agents, and those of the routers of what was looked at, whose lists may have changed and who confirm
 * the commit that they act on. Not every host that runs something of it: of a thousand workers that become ready one by
 * one each would wake all the others.
 */
function wakeEffects(draft: Draft, { puts, deletes }: Changes, services: string[]): Effect[] {
  const { tables } = draft.state;
  const hosts = new Set<string>();
  for (const entity of puts) {
    // That a job was seen tells its host nothing.
    if (entity.kind === "job" && entity.status !== "running") hosts.add(entity.host);
    if (entity.kind !== "host") continue;
    const before = tables.host.byId.get(entity.id);
    if (entity.inventory.address !== before?.inventory.address) hosts.add(entity.id);
    if (entity.update !== null && entity.update.order !== before?.update?.order) hosts.add(entity.id);
  }
  for (const { kind, id } of deletes) {
    const job = kind === "job" ? tables.job.byId.get(id) : undefined;
    if (job) hosts.add(job.host);
  }
  for (const router of services.flatMap((service) => routersOf(draft, service))) {
    for (const job of draft.by("job", "replica", router.id)) hosts.add(job.host);
  }
  return [...hosts].sort().map((host) => ({ kind: "wake", host }));
}

/**
 * What was sealed for what is gone and is not used by what stays. Also what an input of this very step had sealed, should
 * a later one have made it void: the values of all inputs are written with the step.
 */
function unusedSecrets(draft: Draft, changes: Changes, inputs: Input[]): string[] {
  const { revision: revisions } = draft.state.tables;
  const unused = new Set<string>();
  const services = new Set<string>();
  for (const { kind, id } of changes.deletes) {
    if (kind === "secret") unused.add(secretName(id));
    const revision = kind === "revision" ? revisions.byId.get(id) : undefined;
    if (revision) services.add(revision.service);
  }
  for (const input of inputs) {
    if (input.kind === "secret_set" && !draft.get("secret", input.name)) unused.add(secretName(input.name));
    if (input.kind !== "apply") continue;
    const service = input.spec.name;
    services.add(service);
    for (const name of sealedNamesOf({ ...input, service })) unused.add(name);
  }
  for (const service of services) {
    // All that it had, since a revision may also have been replaced by one of its number.
    for (const id of revisions.ids("service", service)) {
      for (const name of sealedNamesOf(revisions.byId.get(id) as RevisionEntity)) unused.add(name);
    }
    for (const name of draft.by("revision", "service", service).flatMap(sealedNamesOf)) unused.delete(name);
  }
  return [...unused].sort();
}

function earliest(before: ReadonlyMap<string, Millis>, now: ReadonlyMap<string, Millis | null>): Millis | null {
  let first: Millis | null = null;
  for (const [key, at] of before) if (!now.has(key) && (first === null || at < first)) first = at;
  for (const at of now.values()) if (at !== null && (first === null || at < first)) first = at;
  return first;
}
