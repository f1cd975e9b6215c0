import { describe, expect, test } from "vitest";
import { Draft } from "../draft.ts";
import { projectState } from "../project-state.ts";
import type { JobEntity, JobStatus, ReplicaEntity, ReplicaStatus } from "../state.ts";
import {
  JOB_TRANSITIONS,
  type JobEvent,
  moveJob,
  moveReplica,
  REPLICA_TRANSITIONS,
  type ReplicaEvent,
} from "./lifecycle.ts";

const REPLICA_EVENTS: ReplicaEvent[] = [
  "placed",
  "ready",
  "unready",
  "returned",
  "host_lost",
  "drain",
  "unlisted",
  "unrouted",
  "deadline",
  "ended",
];
const JOB_EVENTS: JobEvent[] = ["seen", "quiesce", "stop", "gone"];

const replica: ReplicaEntity = {
  kind: "replica",
  id: "s-g-1",
  service: "s",
  group: "g",
  revision: 1,
  status: "pending",
  since: 0,
  reason: "",
  deadline: null,
  unlistedIn: null,
  createdAt: 0,
  wasReady: false,
};
const job: JobEntity = {
  kind: "job",
  id: "s-g-1.0",
  replica: "s-g-1",
  service: "s",
  group: "g",
  rank: 0,
  host: "h",
  status: "assigned",
  since: 0,
  runtime: "process",
  created: 1,
  port: 8000,
  ports: [],
  accelerators: [],
  addresses: {},
};

describe("the life of a replica", () => {
  for (const from of Object.keys(REPLICA_TRANSITIONS) as ReplicaStatus[]) {
    for (const event of REPLICA_EVENTS) {
      const to = REPLICA_TRANSITIONS[from][event];
      test(`${from} + ${event} -> ${to ?? "refused"}`, () => {
        const before = { ...replica, status: from };
        const draft = new Draft(projectState("p", 1, [before], 0));
        if (!to) {
          expect(() => moveReplica(draft, before, event, "why", 5)).toThrow(
            `replica s-g-1 is ${from}: no edge for ${event}`,
          );
          expect(draft.changes()).toEqual({ puts: [], deletes: [] });
          return;
        }
        const after = moveReplica(draft, before, event, "why", 5);
        expect(draft.events).toEqual([
          { type: `replica.${to}`, service: "s", group: "g", replica: "s-g-1", message: "why" },
        ]);
        if (to === "gone") {
          expect(after).toBeNull();
          expect(draft.changes().deletes).toEqual([{ kind: "replica", id: "s-g-1" }]);
        } else {
          expect(after).toEqual({ ...before, status: to, since: 5, reason: "why", wasReady: to === "ready" });
          expect(draft.get("replica", "s-g-1")).toEqual(after);
        }
      });
    }
  }

  test("every status can be left, and what drains never serves again", () => {
    const reach = (from: ReplicaStatus, seen = new Set<string>()): Set<string> => {
      for (const to of Object.values(REPLICA_TRANSITIONS[from])) {
        if (seen.has(to)) continue;
        seen.add(to);
        if (to !== "gone") reach(to, seen);
      }
      return seen;
    };
    for (const from of Object.keys(REPLICA_TRANSITIONS) as ReplicaStatus[]) expect(reach(from)).toContain("gone");
    for (const draining of ["unlisting", "quiescing", "stopping"] as const) {
      expect(
        [...reach(draining)].filter((to) => ["ready", "starting", "suspect", "lost", "pending"].includes(to)),
      ).toEqual([]);
    }
  });
});

describe("the life of a job", () => {
  for (const from of Object.keys(JOB_TRANSITIONS) as JobStatus[]) {
    for (const event of JOB_EVENTS) {
      const to = JOB_TRANSITIONS[from][event];
      test(`${from} + ${event} -> ${to ?? "refused"}`, () => {
        const before = { ...job, status: from };
        const draft = new Draft(projectState("p", 1, [before], 0));
        if (!to) expect(() => moveJob(draft, before, event, 5)).toThrow(`job s-g-1.0 is ${from}: no edge for ${event}`);
        else if (to === "gone") expect(moveJob(draft, before, event, 5)).toBeNull();
        else expect(moveJob(draft, before, event, 5)).toEqual({ ...before, status: to, since: 5 });
      });
    }
  }
});
