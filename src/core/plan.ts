import { Draft } from "./draft.ts";
import type { Answer, Input } from "./input.ts";
import { Placer } from "./placement.ts";
import type { ProjectState } from "./project-state.ts";
import { groupOfReplica, revisionId } from "./revision.ts";
import type { Millis, ReplicaEntity } from "./state.ts";
import { step } from "./step.ts";
import { planWarnings } from "./warnings.ts";

/** What an apply would do now. */
export interface Plan {
  answer: Answer;
  /** Where each new replica would go, or why it fits nowhere. */
  placements: { group: string; host: string | null; reasons: { host: string; reason: string }[] }[];
  warnings: string[];
}

/** Decides an apply without doing it. Pure, like `step`. */
export function planApply(state: ProjectState, input: Extract<Input, { kind: "apply" }>, now: Millis): Plan {
  const result = step(state, [input], now);
  const answer = result.answers[0] as Answer;
  if (answer.kind !== "applied") return { answer, placements: [], warnings: [] };
  const draft = new Draft(state);
  for (const entity of result.changes.puts) draft.put(entity);
  const placer = new Placer(draft, (job) => groupOfReplica(draft, draft.must("replica", job.replica)).spec);
  const isNew = (replica: ReplicaEntity) => !state.tables.replica.byId.has(replica.id);
  const placements = draft
    .by("replica", "service", input.spec.name)
    .filter(isNew)
    .map((replica) => {
      const [job] = draft.by("job", "replica", replica.id);
      if (job) return { group: replica.group, host: draft.must("host", job.host).name, reasons: [] };
      const fit = placer.place(replica.group, replica.service, groupOfReplica(draft, replica));
      return { group: replica.group, host: null, reasons: "reasons" in fit ? fit.reasons : [] };
    });
  const revision = draft.must("revision", revisionId(input.spec.name, answer.revision));
  return { answer, placements, warnings: planWarnings(revision) };
}
