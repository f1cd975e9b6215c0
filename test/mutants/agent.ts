import type { Mutant } from "./types.ts";

const decide = (test: string) => ({ file: "agents/host/decide.test.ts", test });
const router = (test: string) => ({ file: "agents/host/decide/router.test.ts", test });

export const agentMutants: Mutant[] = [
  {
    file: "src/adapters/smg-workers.ts",
    replace: "    resilience: RESILIENCE,\n",
    by: "",
    breaks: "The only worker of a role is back, and SMG's circuit breaker shuts it out for a minute.",
    caughtBy: {
      file: "test/e2e/smg-breaker.test.ts",
      test: "sends to the only worker of a role again soon after it is back, however many requests failed meanwhile",
    },
  },
  {
    file: "agents/host/decide.ts",
    replace: "  if (desired !== null) {\n    notePhases",
    by: '  desired ??= { project: "", host: "", version: 0, jobs: [] };\n  {\n    notePhases',
    breaks: "An agent that has never heard of the control plane stops everything that runs.",
    caughtBy: decide("a drain > leaves running jobs alone while no desired state was ever heard"),
  },
  {
    file: "agents/host/decide.ts",
    replace: "    if (job.phase.kind === kind) continue;\n",
    by: "",
    breaks: "The deadline of a drain moves with every look, so that it never comes.",
    caughtBy: decide("a drain > ends at its deadline, which a restart of the agent does not move"),
  },
  {
    file: "agents/host/decide/phases.ts",
    replace: "|| run.idle.twice",
    by: "|| run.idle.once",
    breaks: "A hand-off between two queues passes for an idle engine, and its requests are cut.",
    caughtBy: decide("a drain > waits until the engine was idle twice, a second apart"),
  },
  {
    file: "agents/host/decide/phases.ts",
    replace: "    if (!turn.due(memory.startAfter)) return;\n",
    by: "",
    breaks: "A job that ends at once is started again at once, for ever.",
    caughtBy: decide("a job that shall run > is restarted in place with a growing pause, one attempt after the other"),
  },
  {
    file: "agents/host/decide/phases.ts",
    replace: "run.identify.identity?.role === job.role",
    by: "run.identify.identity !== null",
    breaks: "A prefill is listed as a decode.",
    caughtBy: decide(
      "readiness > is not given to an engine that runs in another role, and the message says what to do",
    ),
  },
  {
    file: "agents/host/decide/phases.ts",
    replace: "  if (run.termAt === null) {\n    run.termAt = turn.now;",
    by: "  {\n    run.termAt = turn.now;",
    breaks: "An engine that is ending is told to end again, and gives up its streams.",
    caughtBy: decide("a stop > terminates at once, once, and kills what is left in time"),
  },
  {
    file: "agents/host/decide/checks.ts",
    replace: "if (check.failures >= PROBE_FAILURES_MAX) check.passing = false;",
    by: "check.passing = false;",
    breaks: "One failed probe ends readiness.",
    caughtBy: decide("readiness > ends with the third failure in a row and not with two, and one success restores it"),
  },
  {
    file: "agents/host/decide/checks.ts",
    replace: "check.everPassed || check.passes >= rule.readyAfter",
    by: "check.passes > 0",
    breaks: "A worker is ready before its probe passed as often as was asked.",
    caughtBy: decide(
      "readiness > needs readyAfter successes in a row, and until the first one asks at least every second",
    ),
  },
  {
    file: "agents/host/decide/runs.ts",
    replace: "if (memory.run?.incarnation !== listed.incarnation) {",
    by: "if (memory.run === null) {",
    breaks: "A new run is taken for the one before, with its readiness.",
    caughtBy: {
      ...decide("readiness > starts from nothing with a new attempt"),
      rule: "was started while an attempt of it lives",
    },
  },
  {
    file: "agents/host/decide/runs.ts",
    replace: "    memory.attempt = Math.max(memory.attempt, listed.attempt);\n",
    by: "",
    breaks: "An agent without memory counts the attempts of the jobs that it adopts from nothing.",
    caughtBy: decide(
      "an agent that was restarted > takes up the count of attempts where the runtime has it, even without any memory",
    ),
  },
  {
    file: "agents/host/decide/router.ts",
    replace: "return !isGood(worker) && goodRoles.has(worker.role);",
    by: "return !isGood(worker);",
    breaks: "The last listed worker of a role is taken out of its router.",
    caughtBy: router("a worker that cannot be reached > stays when it is the last listed one of its role"),
  },
  {
    file: "agents/host/decide/router.ts",
    replace: "if (router.listed !== null && !router.outdated) {",
    by: "if (router.listed !== null) {",
    breaks: "A router is said to be in line with a commit by a list that was read before the change.",
    caughtBy: router("the list of a router > becomes what is desired, and says by which commit"),
  },
  {
    file: "agents/host/decide.ts",
    replace: " || run.incarnation !== answer.incarnation",
    by: "",
    breaks: "What a run said that is over makes the next one ready.",
    caughtBy: decide("readiness > is not given by an answer of the run before"),
  },
  {
    file: "agents/host/peers/weigh.ts",
    replace: "why === null ? PASSES_TO_FREE",
    by: "why === null ? 1_000_000",
    breaks: "A host that was not reached once is held not to be reached for ever.",
    caughtBy: {
      file: "agents/host/peers/weigh.test.ts",
      test: "a lost packet, and one answer between two losses, change nothing",
      simulation: "settles",
    },
  },
];
