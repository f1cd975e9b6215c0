import { readDuration } from "../grammar/duration.ts";
import { readShare, readSomeShare } from "../grammar/share.ts";
import { mapping, optional, required, type Standing, scalarOf } from "./fields.ts";

const later: Standing = {
  kind: "later",
  when: "rollouts exist",
  until: "a running service has to be stopped before more than its counts can change",
};

const duringDrains: Standing = {
  ...later,
  until:
    "it holds while hosts are drained, and a running service has to be stopped before more than its counts can change",
};

const TEN_MINUTES_S = 600;

const canary = mapping("canary", {
  replicas: required(scalarOf(readSomeShare), {
    description: "How many replicas of the new revision run first: a number or per cent of each group",
    examples: [1, "10%"],
  }),
  hold: optional(scalarOf(readDuration), TEN_MINUTES_S, {
    description: "How long they have to do well before the rest follows",
    examples: ["10m"],
  }),
}).transform(({ replicas, hold }) => ({ share: replicas, holdS: hold }));

/** How a new revision replaces the old one. */
export const rolloutFields = {
  max_surge: optional(scalarOf(readShare), null, {
    description: "How many replicas of a group may run beyond its number during a rollout; 1 when left out",
    examples: [1, "25%"],
    standing: duringDrains,
  }),
  max_unavailable: optional(scalarOf(readShare), null, {
    description: "How many replicas of a group may be missing during a rollout; 0 when left out",
    examples: [0, "25%"],
    standing: duringDrains,
  }),
  canary: optional(canary, null, {
    description: "Which part of a new revision is tried before the rest follows",
    examples: [{ replicas: 1, hold: "10m" }],
    standing: later,
  }),
};
