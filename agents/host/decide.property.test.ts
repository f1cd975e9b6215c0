import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DesiredJob, JobPhase } from "../../src/wire/index.ts";
import { desiredJob, exit, probe, VirtualHost } from "./decide/testing.ts";
import { PROBE_FAILURES_MAX } from "./decide/timing.ts";
import { decide } from "./decide.ts";

type Event =
  | { kind: "pass"; ms: number }
  | { kind: "end"; job: number }
  | { kind: "phase"; job: number; phase: JobPhase["kind"] | "absent" }
  | { kind: "restart agent" }
  | { kind: "healthy"; healthy: boolean }
  | { kind: "idle"; idle: boolean | null }
  | { kind: "obeys"; obeys: boolean }
  | { kind: "reachable"; worker: number; reachable: boolean }
  | { kind: "workers"; workers: number[] }
  | { kind: "router answers"; answers: boolean };

const JOBS = ["r-1.0", "w-1.0", "w-2.0"];
const WORKERS = [0, 1, 2, 3];
const WITHIN_MS = 20_000;
/** Long enough for every back-off and deadline of a case to pass. */
const SETTLE_MS = 120_000;

const job = fc.integer({ min: 0, max: JOBS.length - 1 });
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 20_000 }) }) },
  fc.record({ kind: fc.constant("end" as const), job }),
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("phase" as const),
      job,
      phase: fc.constantFrom("run", "quiesce", "stop", "absent"),
    }),
  },
  fc.record({ kind: fc.constant("restart agent" as const) }),
  fc.record({ kind: fc.constant("healthy" as const), healthy: fc.boolean() }),
  fc.record({ kind: fc.constant("idle" as const), idle: fc.constantFrom(true, false, null) }),
  fc.record({ kind: fc.constant("obeys" as const), obeys: fc.boolean() }),
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("reachable" as const),
      worker: fc.constantFrom(...WORKERS),
      reachable: fc.boolean(),
    }),
  },
  fc.record({ kind: fc.constant("workers" as const), workers: fc.subarray(WORKERS) }),
  fc.record({ kind: fc.constant("router answers" as const), answers: fc.boolean() }),
);

const url = (worker: number) => `http://10.0.0.1:${9_000 + worker}`;

/** A host with a router and two workers, driven by events. */
class Scenario {
  readonly host = new VirtualHost();
  readonly phases = new Map<string, JobPhase["kind"] | "absent">(JOBS.map((id) => [id, "run"]));
  workers: number[] = [0, 1];

  constructor() {
    this.want();
    this.host.run(3_000);
  }

  want(): void {
    const jobs = JOBS.flatMap((id): DesiredJob[] => {
      const kind = this.phases.get(id)!;
      if (kind === "absent") return [];
      const phase: JobPhase = kind === "run" ? { kind } : { kind, withinMs: WITHIN_MS };
      if (id !== "r-1.0") return [desiredJob({ job: id, phase, probes: [probe({ intervalMs: 2_000 })] })];
      const workers = this.workers.map((worker) => ({
        replica: `x-${worker}`,
        url: url(worker),
        role: "worker" as const,
        bootstrapPort: null,
        labels: {},
      }));
      return [desiredJob({ job: id, phase, role: "router", router: "smg", engine: null, workers })];
    });
    this.host.want(jobs);
  }

  apply(event: Event): void {
    const { host } = this;
    switch (event.kind) {
      case "pass":
        host.run(event.ms);
        return;
      case "end":
        host.end(JOBS[event.job]!, exit(1));
        return;
      case "restart agent":
        host.restartAgent();
        return;
      case "healthy":
        host.world.probe = () => event.healthy;
        return;
      case "idle":
        host.world.idle = () => event.idle;
        return;
      case "obeys":
        host.world.obeys = event.obeys;
        return;
      case "reachable":
        if (event.reachable) host.world.unreachable.delete(url(event.worker));
        else host.world.unreachable.add(url(event.worker));
        return;
      case "router answers":
        host.world.routerAnswers = event.answers;
        return;
      case "phase":
        this.phases.set(JOBS[event.job]!, event.phase);
        this.want();
        return;
      case "workers":
        this.workers = event.workers;
        this.want();
        return;
    }
  }
}

function holds(rule: (events: Event[]) => void, events: fc.Arbitrary<Event[]> = fc.array(event, { maxLength: 40 })) {
  fc.assert(fc.property(events, rule), { numRuns: 150 });
}

describe("whatever happens on a host", () => {
  it("without a phase nothing is stopped, killed or removed", () => {
    const quiet = event.filter((candidate) => candidate.kind !== "phase");
    holds(
      (events) => {
        const scenario = new Scenario();
        for (const one of events) scenario.apply(one);
        expect(scenario.host.signals()).toEqual([]);
        expect(scenario.host.times("remove")).toEqual([]);
      },
      fc.array(quiet, { maxLength: 40 }),
    );
  });

  it("a run is asked to end once at most, and killed only after that", () => {
    holds((events) => {
      const scenario = new Scenario();
      scenario.host.world.obeys = false;
      for (const one of events) scenario.apply(one);
      const asked = new Map<string, number>();
      for (const { action } of scenario.host.log) {
        if (action.kind === "start") asked.set(action.job, 0);
        if (action.kind !== "signal") continue;
        const times = asked.get(action.job) ?? 0;
        if (action.signal === "SIGKILL") expect(times).toBe(1);
        else asked.set(action.job, times + 1);
        expect(asked.get(action.job)).toBe(1);
      }
    });
  });

  it("attempts rise one by one", () => {
    holds((events) => {
      const scenario = new Scenario();
      for (const one of events) scenario.apply(one);
      const attempts = new Map<string, number>();
      for (const { action } of scenario.host.log) {
        if (action.kind === "remove") attempts.delete(action.job);
        if (action.kind !== "start") continue;
        expect(action.attempt).toBe((attempts.get(action.job) ?? 0) + 1);
        attempts.set(action.job, action.attempt);
      }
    });
  });

  it("a job that shall run does, and one that shall not does not, once things are well again", () => {
    holds((events) => {
      const scenario = new Scenario();
      for (const one of events) scenario.apply(one);
      const { host } = scenario;
      Object.assign(host.world, { probe: () => true, idle: () => true, obeys: true, routerAnswers: true });
      host.world.unreachable.clear();
      host.run(SETTLE_MS);
      for (const id of JOBS) {
        const phase = scenario.phases.get(id);
        const state = host.report(id)?.state;
        expect(state).toBe(phase === "run" ? "ready" : phase === "absent" ? undefined : "ended");
      }
      if (scenario.phases.get("r-1.0") !== "run") return;
      expect(host.router()).toMatchObject({
        listed: scenario.workers.map((worker) => `x-${worker}`).sort(),
        synced: host.desired?.version,
      });
    });
  });

  it("the last listed worker of a router stays, whether it is reached or not", () => {
    const worker = fc.constantFrom(0, 1);
    const routing = fc.oneof(
      fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 10_000 }) }),
      fc.record({ kind: fc.constant("reachable" as const), worker, reachable: fc.boolean() }),
      fc.record({ kind: fc.constant("restart agent" as const) }),
    );
    holds(
      (events) => {
        const scenario = new Scenario();
        scenario.host.onRemoved = ({ listed }) => expect(listed).not.toEqual([]);
        for (const one of events) scenario.apply(one);
      },
      fc.array(routing, { maxLength: 40 }),
    );
  });

  it("the same arguments give the same decision, which asks to be made again in bounded time", () => {
    holds((events) => {
      const scenario = new Scenario();
      for (const one of events) scenario.apply(one);
      const { desired, memory, now } = scenario.host;
      const observed = { runs: [], busy: JOBS, answers: [] };
      const once = decide(desired, observed, memory, now);
      expect(decide(desired, observed, memory, now)).toEqual(once);
      expect(JSON.parse(JSON.stringify(once.memory))).toEqual(once.memory);
      expect(once.wakeInMs).toBeGreaterThanOrEqual(0);
      expect(once.wakeInMs).toBeLessThanOrEqual(30_000);
    });
  });

  it("readiness follows the last answers: lost after three failures in a row, back with one success", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 60 }), (outcomes) => {
        const host = new VirtualHost();
        let asked = 0;
        host.world.probe = (_process, check) => check === "port" || (outcomes[asked++] ?? outcomes.at(-1)!);
        host.want([desiredJob({ engine: null, probes: [probe({ intervalMs: 500 })] })]);
        let passing = false;
        let failures = 0;
        for (let seen = 0; seen < outcomes.length; ) {
          host.run(1);
          for (; seen < Math.min(asked, outcomes.length); seen += 1) {
            failures = outcomes[seen] ? 0 : failures + 1;
            if (outcomes[seen]) passing = true;
            if (failures >= PROBE_FAILURES_MAX) passing = false;
          }
          host.run(2);
          if (seen > 0) expect(host.report()?.state === "ready").toBe(passing);
        }
      }),
      { numRuns: 100 },
    );
  });
});
