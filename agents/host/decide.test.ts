import { describe, expect, it } from "vitest";
import { restartDelayMs } from "./decide/runs.ts";
import { desiredJob, exit, probe, VirtualHost } from "./decide/testing.ts";
import { decide, EMPTY_MEMORY } from "./decide.ts";

describe("a job that shall run", () => {
  it("is started at once and is ready when its probe passes and its engine has confirmed its role", () => {
    const host = new VirtualHost();
    host.want([desiredJob()]);
    host.run(1_000);
    expect(host.times("start")).toEqual([0]);
    expect(host.report()).toMatchObject({
      state: "ready",
      attempt: 1,
      confirmed: { role: "worker", bootstrapPort: null },
      message: "",
    });
  });

  it("is restarted in place with a growing pause, one attempt after the other", () => {
    const host = new VirtualHost();
    host.want([desiredJob()]);
    host.run(10);
    for (let ends = 0; ends < 7; ends += 1) {
      host.end("w-1.0");
      host.run(40_000);
    }
    const starts = host.times("start");
    const pauses = starts.slice(1).map((at, index) => at - (10 + index * 40_000));
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(host.report()?.attempt).toBe(8);
  });

  it("starts the pauses from the beginning after five minutes of running", () => {
    const host = new VirtualHost();
    host.want([desiredJob()]);
    host.run(10);
    host.end("w-1.0");
    host.run(1_000);
    host.end("w-1.0");
    host.run(10_000 + 5 * 60_000);
    host.end("w-1.0");
    const endedAt = host.now;
    host.run(1_500);
    expect(host.times("start", endedAt).at(-1)).toBe(1_000);
  });

  it("counts its ends of the last five minutes", () => {
    const host = new VirtualHost();
    host.want([desiredJob()]);
    host.run(10);
    host.end("w-1.0", exit(7));
    host.run(500);
    expect(host.report()).toMatchObject({ state: "backoff", recentEnds: 1, lastEnd: { exitCode: 7 } });
    expect(host.report()?.message).toContain("exit code 7");
    host.run(5 * 60_000);
    expect(host.report()).toMatchObject({ state: "ready", recentEnds: 0 });
  });

  it("waits as long when it cannot even be started, and says why", () => {
    const host = new VirtualHost();
    host.world.startError = "there is no shell /bin/fish";
    host.want([desiredJob()]);
    host.run(7_500);
    expect(host.times("start").map((at) => Math.round(at / 1_000))).toEqual([0, 1, 3, 7]);
    expect(host.report()).toMatchObject({ attempt: 4, recentEnds: 4 });
    expect(host.report()?.message).toContain("no shell /bin/fish");
  });

  it("is not said to have failed to start when it ran and nobody saw its end", () => {
    const host = new VirtualHost();
    host.want([desiredJob()]);
    host.run(1_000);
    host.end("w-1.0", { exitCode: null, signal: null, outOfMemory: false, tail: "its last words" });
    host.run(100);
    expect(host.report()?.message).toBe("ended, nobody saw how; will be started again");
  });

  it("is not started a second time while its start is still under way", () => {
    const desired = { project: "main", host: "h1", version: 1, jobs: [desiredJob()] };
    const first = decide(desired, { runs: [], busy: [], answers: [] }, EMPTY_MEMORY, 0);
    expect(first.actions).toEqual([{ kind: "start", job: "w-1.0", attempt: 1 }]);
    const second = decide(desired, { runs: [], busy: ["w-1.0"], answers: [] }, first.memory, 10_000);
    expect(second.actions).toEqual([]);
  });

  it("leaves its memory as it was", () => {
    const desired = { project: "main", host: "h1", version: 1, jobs: [desiredJob()] };
    decide(desired, { runs: [], busy: [], answers: [] }, EMPTY_MEMORY, 0);
    expect(EMPTY_MEMORY).toEqual({ jobs: {}, reach: {} });
  });
});

describe("readiness", () => {
  it("needs readyAfter successes in a row, and until the first one asks at least every second", () => {
    const host = new VirtualHost();
    let up = false;
    host.world.probe = () => up;
    host.want([desiredJob({ probes: [probe({ readyAfter: 2, intervalMs: 10_000 })] })]);
    host.run(60_000);
    expect(host.report()).toMatchObject({ state: "starting", recentEnds: 0 });
    expect(host.times("ask").length).toBeGreaterThanOrEqual(60);
    up = true;
    host.run(1_000);
    expect(host.report()?.state).toBe("starting");
    host.run(10_000);
    expect(host.report()?.state).toBe("ready");
  });

  it("ends with the third failure in a row and not with two, and one success restores it", () => {
    const host = new VirtualHost();
    const outcomes = [true, false, false, true, false, false, false, true];
    const states: (string | undefined)[] = [];
    host.world.probe = (_process, check) => check === "port" || (outcomes[states.length] ?? true);
    host.want([desiredJob({ probes: [probe({ intervalMs: 10_000 })] })]);
    for (let round = 0; round < outcomes.length; round += 1) {
      host.run(10_000 + (round === 0 ? 50 : 1));
      states.push(host.report()?.state);
      if (round === 0) states.length = 1;
    }
    expect(states).toEqual(["ready", "ready", "ready", "ready", "ready", "ready", "unready", "ready"]);
  });

  it("starts from nothing with a new attempt", () => {
    const host = new VirtualHost();
    host.want([desiredJob()]);
    host.run(1_000);
    expect(host.report()?.state).toBe("ready");
    host.world.probe = () => false;
    host.end("w-1.0");
    host.run(5_000);
    expect(host.report()).toMatchObject({ state: "starting", attempt: 2, confirmed: null });
  });

  it("is not given by an answer of the run before", () => {
    const host = new VirtualHost();
    host.want([desiredJob({ engine: null })]);
    host.run(1_000);
    host.world.probe = () => false;
    host.end("w-1.0");
    host.run(5_000);
    const { incarnation, startedAt } = host.processes.get("w-1.0")!;
    const run = { job: "w-1.0", replica: "w-1", attempt: 2, state: "running" as const, incarnation, end: null };
    const late = { kind: "checked" as const, job: "w-1.0", ok: true, detail: "" };
    const readyAfter = (answering: string) => {
      const runs = [{ ...run, ageMs: host.now - startedAt }];
      const answers = (["probe:0", "port"] as const).map((check) => ({ ...late, check, incarnation: answering }));
      return decide(host.desired, { runs, busy: [], answers }, host.memory, host.now).memory.jobs["w-1.0"]?.run?.ready;
    };
    expect(readyAfter("run-1")).toBe(false);
    expect(readyAfter("run-2")).toBe(true);
  });

  it("is not given to an engine that runs in another role, and the message says what to do", () => {
    const host = new VirtualHost();
    host.world.identity = { role: "decode", bootstrapPort: 8998 };
    host.want([desiredJob({ role: "prefill" })]);
    host.run(5_000);
    expect(host.report()).toMatchObject({ state: "starting", confirmed: { role: "decode", bootstrapPort: 8998 } });
    expect(host.report()?.message).toMatch(/to be a prefill worker.*runs as decode/);
  });

  it("waits for an engine that has not told its role yet", () => {
    const host = new VirtualHost();
    host.world.identity = null;
    host.want([desiredJob()]);
    host.run(5_000);
    expect(host.report()?.state).toBe("starting");
    host.world.identity = { role: "worker", bootstrapPort: null };
    host.run(1_500);
    expect(host.report()?.state).toBe("ready");
  });

  it("is there for a job without probes and without a known engine once it listens on its port itself", () => {
    const host = new VirtualHost();
    host.world.probe = () => false;
    host.want([desiredJob({ probes: [], engine: null })]);
    host.run(5_000);
    expect(host.report()).toMatchObject({ state: "starting", message: "answered 503" });
    host.world.probe = () => true;
    host.run(600);
    expect(host.report()?.state).toBe("ready");
    // Looked at every half a second until then, and every five seconds since.
    const asked = host.times("ask").length;
    expect(asked).toBe(11);
    host.run(60_000);
    expect(host.times("ask")).toHaveLength(asked + 12);
  });

  it("is not there while a stranger has the port and answers the probes", () => {
    const host = new VirtualHost();
    host.world.probe = (_process, check) => check !== "port";
    host.want([desiredJob()]);
    host.run(10_000);
    expect(host.report()).toMatchObject({ state: "starting", message: "answered 503" });
    expect(host.log.some(({ action }) => action.kind === "ask" && action.check === "identify")).toBe(false);
  });

  it("stays with a job that an agent made ready which did not look at its port yet, until a look says otherwise", () => {
    const host = new VirtualHost();
    host.want([desiredJob()]);
    host.run(1_000);
    host.restartAgent();
    for (const { run } of Object.values(host.memory.jobs)) delete run?.checks.port;
    host.run(60_000);
    expect(host.report()?.state).toBe("ready");
    host.world.probe = (_process, check) => check !== "port";
    host.run(7_000);
    expect(host.report()?.state).toBe("unready");
  });

  it("goes from a job whose port is not its own any more, though all of its probes pass, and comes back with it", () => {
    const host = new VirtualHost();
    const jobs = [desiredJob(), desiredJob({ job: "w-2.0" })];
    host.want(jobs);
    host.run(30_000);
    expect(jobs.map(({ job }) => host.report(job)?.state)).toEqual(["ready", "ready"]);
    host.world.probe = (process, check) => check !== "port" || process.job !== "w-1.0";
    // A look, and two more to be sure.
    host.run(5_000 + 1_100);
    expect(host.report()).toMatchObject({ state: "unready", message: "answered 503" });
    expect(host.report("w-2.0")?.state).toBe("ready");
    host.world.probe = () => true;
    host.run(600);
    expect(host.report()?.state).toBe("ready");
  });

  it("is looked for on the ports of all jobs at the same moments", () => {
    const host = new VirtualHost();
    host.want([desiredJob({ probes: [] })]);
    host.run(1_700);
    host.want([desiredJob({ probes: [] }), desiredJob({ job: "w-2.0", probes: [] })]);
    host.run(10_000);
    const from = host.now;
    host.run(20_000);
    const looks = host.log.filter(({ at, action }) => at > from && action.kind === "ask" && action.check === "port");
    expect(looks).toHaveLength(8);
    expect(new Set(looks.map(({ at }) => at)).size).toBe(4);
  });

  it("asks a probe that is only for the start no more once it has passed", () => {
    const host = new VirtualHost();
    host.want([desiredJob({ engine: null, probes: [probe({ untilReady: true })] })]);
    host.run(300_000);
    const probes = host.log.filter(({ action }) => action.kind === "ask" && action.check === "probe:0");
    expect(probes).toHaveLength(1);
    expect(host.report()?.state).toBe("ready");
  });

  it("of a router needs both its probes and its own word that it would serve", () => {
    const host = new VirtualHost();
    let serves = false;
    host.world.probe = (_process, check) => check !== "readiness" || serves;
    host.want([desiredJob({ job: "r-1.0", role: "router", router: "smg", engine: null })]);
    host.run(5_000);
    expect(host.report("r-1.0")?.state).toBe("starting");
    serves = true;
    host.run(1_000);
    expect(host.report("r-1.0")?.state).toBe("ready");
    serves = false;
    host.run(4_000);
    expect(host.report("r-1.0")?.state).toBe("unready");
  });
});

describe("a drain", () => {
  it("never begins by itself: without control plane everything goes on", () => {
    const host = new VirtualHost();
    host.want([desiredJob()]);
    host.run(24 * 3_600_000);
    expect(host.signals()).toEqual([]);
    expect(host.report()?.state).toBe("ready");
  });

  it("leaves running jobs alone while no desired state was ever heard", () => {
    const host = new VirtualHost();
    host.want([desiredJob()]);
    host.run(1_000);
    host.desired = null;
    host.memory = EMPTY_MEMORY;
    host.run(3_600_000);
    expect(host.signals()).toEqual([]);
    expect(host.report()).toMatchObject({ job: "w-1.0", state: "starting", message: "found running" });
  });

  it("waits until the engine was idle twice, a second apart", () => {
    const host = new VirtualHost();
    host.want([desiredJob()]);
    host.run(1_000);
    host.want([desiredJob({ phase: { kind: "quiesce", withinMs: 300_000 } })]);
    host.run(10_000);
    expect(host.signals()).toEqual([]);
    expect(host.report()?.state).toBe("quiescing");
    host.world.idle = () => true;
    const idleAt = host.now;
    host.run(5_000);
    expect(host.signals()).toEqual(["SIGTERM"]);
    expect(host.times("signal", idleAt)[0]).toBeGreaterThanOrEqual(1_000);
    expect(host.report()?.state).toBe("ended");
    expect(host.report()?.recentEnds).toBe(0);
  });

  it("does not take two idle answers with a busy one between them for idle", () => {
    const host = new VirtualHost();
    host.want([desiredJob()]);
    host.run(1_000);
    host.want([desiredJob({ phase: { kind: "quiesce", withinMs: 60_000 } })]);
    let asked = 0;
    host.world.idle = () => {
      asked += 1;
      return asked % 2 === 0;
    };
    host.run(50_000);
    expect(asked).toBeGreaterThan(40);
    expect(host.signals()).toEqual([]);
  });

  it("ends at its deadline, which a restart of the agent does not move", () => {
    const host = new VirtualHost();
    host.world.idle = () => null;
    host.want([desiredJob()]);
    host.run(1_000);
    host.want([desiredJob({ phase: { kind: "quiesce", withinMs: 60_000 } })]);
    const seenAt = host.now;
    host.run(40_000);
    host.restartAgent();
    host.run(40_000);
    expect(host.times("signal", seenAt)).toEqual([60_000]);
  });

  it("does not wait for an engine that was never ready and does not even listen", () => {
    const host = new VirtualHost();
    host.world.probe = () => false;
    Object.assign(host.world, { idle: () => null, refused: true });
    host.want([desiredJob()]);
    host.run(1_000);
    host.want([desiredJob({ phase: { kind: "quiesce", withinMs: 300_000 } })]);
    host.run(3_000);
    expect(host.report()?.state).toBe("ended");
  });

  it("waits for an engine that was ready and does not answer any more", () => {
    const host = new VirtualHost();
    host.want([desiredJob()]);
    host.run(1_000);
    Object.assign(host.world, { idle: () => null, refused: true });
    host.want([desiredJob({ phase: { kind: "quiesce", withinMs: 300_000 } })]);
    host.run(299_000);
    expect(host.signals()).toEqual([]);
    host.run(2_000);
    expect(host.signals()).toEqual(["SIGTERM"]);
  });

  it("waits for the deadline where no adapter can tell idle, if a router and not the link brings the requests", () => {
    const termAfter = (behindRouter: boolean) => {
      const host = new VirtualHost();
      host.world.idle = () => true;
      host.want([desiredJob({ engine: null, behindRouter })]);
      host.run(1_000);
      host.want([desiredJob({ engine: null, behindRouter, phase: { kind: "quiesce", withinMs: 60_000 } })]);
      const from = host.now;
      host.run(70_000);
      return host.times("signal", from);
    };
    expect(termAfter(true)).toEqual([60_000]);
    expect(termAfter(false)[0]).toBeLessThan(5_000);
  });

  it("does not restart what ends by itself meanwhile", () => {
    const host = new VirtualHost();
    host.want([desiredJob()]);
    host.run(1_000);
    host.want([desiredJob({ phase: { kind: "quiesce", withinMs: 300_000 } })]);
    host.end("w-1.0");
    host.run(60_000);
    expect(host.times("start")).toHaveLength(1);
    expect(host.report()?.state).toBe("ended");
  });
});

describe("a stop", () => {
  it("terminates at once, once, and kills what is left in time", () => {
    const host = new VirtualHost();
    host.world.obeys = false;
    host.want([desiredJob()]);
    host.run(1_000);
    host.want([desiredJob({ phase: { kind: "stop", withinMs: 20_000 } })]);
    const stoppedAt = host.now;
    host.run(19_999);
    expect(host.report()?.state).toBe("stopping");
    host.run(10_000);
    expect(host.signals()).toEqual(["SIGTERM", "SIGKILL"]);
    expect(host.times("signal", stoppedAt)).toEqual([0, 20_000]);
    expect(host.report()?.state).toBe("ended");
  });

  it("does not terminate a second time after a quiesce or a restart of the agent", () => {
    const host = new VirtualHost();
    host.world.obeys = false;
    host.world.idle = () => true;
    host.want([desiredJob()]);
    host.run(1_000);
    host.want([desiredJob({ phase: { kind: "quiesce", withinMs: 60_000 } })]);
    host.run(5_000);
    host.restartAgent();
    host.want([desiredJob({ phase: { kind: "stop", withinMs: 60_000 } })]);
    host.run(30_000);
    expect(host.signals()).toEqual(["SIGTERM"]);
  });

  it("of a job that has left the desired state kills after 30 s and removes its files", () => {
    const host = new VirtualHost();
    host.world.obeys = false;
    host.want([desiredJob()]);
    host.run(1_000);
    host.want([]);
    const gone = host.now;
    host.run(40_000);
    expect(host.times("signal", gone)).toEqual([0, 30_000]);
    expect(host.times("remove", gone)).toEqual([30_000]);
    expect(host.processes.size).toBe(0);
    expect(host.report()).toBeUndefined();
  });

  it("of a job that is wanted again lets it end and starts the next attempt at once", () => {
    const host = new VirtualHost();
    host.world.obeys = false;
    host.want([desiredJob()]);
    host.run(1_000);
    host.want([desiredJob({ phase: { kind: "stop", withinMs: 20_000 } })]);
    host.run(5_000);
    host.want([desiredJob()]);
    host.run(1_000);
    expect(host.times("start")).toHaveLength(1);
    host.end("w-1.0", exit(0));
    host.run(1_000);
    expect(host.report()).toMatchObject({ state: "ready", attempt: 2, recentEnds: 0 });
  });
});

describe("an agent that was restarted", () => {
  it("adopts what runs: no new attempt, and what was ready stays ready", () => {
    const host = new VirtualHost();
    host.want([desiredJob()]);
    host.run(60_000);
    host.restartAgent();
    expect(host.report()).toMatchObject({ state: "ready", attempt: 1, confirmed: { role: "worker" } });
    host.run(60_000);
    expect(host.times("start")).toHaveLength(1);
    expect(host.report()?.state).toBe("ready");
  });

  it("restarts what ended while it was away", () => {
    const host = new VirtualHost();
    host.want([desiredJob()]);
    host.run(60_000);
    host.end("w-1.0", exit(3));
    host.now += 120_000;
    host.restartAgent();
    host.run(1_500);
    expect(host.report()).toMatchObject({ attempt: 2, recentEnds: 1, lastEnd: { exitCode: 3 } });
  });

  it("takes up the count of attempts where the runtime has it, even without any memory", () => {
    const host = new VirtualHost();
    host.want([desiredJob()]);
    host.run(1_000);
    host.end("w-1.0");
    host.run(2_000);
    host.memory = EMPTY_MEMORY;
    host.run(10_000);
    expect(host.report()).toMatchObject({ attempt: 2, state: "ready" });
    host.end("w-1.0");
    host.run(2_000);
    expect(host.report()?.attempt).toBe(3);
  });
});

describe("the pause before a restart", () => {
  it.each([700, 120_000])("counts from the end, also one that came %i ms before the agent was back", (awayMs) => {
    const host = new VirtualHost();
    host.want([desiredJob()]);
    host.run(10_000);
    const ended = host.now;
    host.end("w-1.0");
    host.now += awayMs;
    host.restartAgent();
    host.run(2_000);
    expect(host.times("start", ended).at(-1)).toBe(Math.max(1_000, awayMs));
  });

  it.each([
    [1, 1_000],
    [2, 2_000],
    [5, 16_000],
    [6, 30_000],
    [1_000_000, 30_000],
  ])("after %i ends in a row is %i ms", (ends, pause) => {
    expect(restartDelayMs(ends)).toBe(pause);
  });
});
