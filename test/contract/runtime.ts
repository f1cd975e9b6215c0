import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Runtime, RuntimeJob, StartSpec } from "../../agents/host/runtime/types.ts";
import { find, followed, LOG_BYTES_MAX, spec as plainSpec, texts, until, untilEnded } from "./runtime-help.ts";

/** How the suite gets at an implementation. */
export interface RuntimeHarness {
  /** Opens the runtime on a data folder, as an agent does when it starts. */
  open(dataDir: string): Promise<Runtime>;
  /**
   * Does in another process what an agent does, starting the spec, and kills that process with SIGKILL: once the job
   * was started, or after so many milliseconds wherever it is then.
   */
  startAndDie(dataDir: string, spec: StartSpec, afterMs: number | null): Promise<void>;
  /** What a launch for this runtime says more; the commands can reach the data folder by its own path. */
  launch(dataDir: string): Partial<StartSpec["launch"]>;
  /** What is on this machine of the folder's jobs: their processes, files, containers. */
  left(dataDir: string): Promise<string[]>;
  /** Bytes of log that are kept of a job. */
  logBytes(dataDir: string, job: string): Promise<number>;
  /** Longer than a start takes on a quiet machine. */
  startTakesMs: number;
}

/** A line as engines write them. */
const LINE = "y".repeat(100);

/** Moments at which an agent is killed while it starts a job. */
const DEATHS = 9;

/** Commands that go on once the test has made the file. */
const WAIT_FOR_FILE = 'until [ -e "$GO" ]; do sleep 0.02; done';

/** What every runtime holds to. Each test leaves no process and no file behind, and that is looked at after each. */
export function runtimeContract(name: string, harness: RuntimeHarness): void {
  describe(`the runtime contract: ${name}`, () => {
    let dataDir = "";
    const opened: Runtime[] = [];

    const spec: typeof plainSpec = (...args) => {
      const plain = plainSpec(...args);
      return { ...plain, launch: { ...plain.launch, ...harness.launch(dataDir) } };
    };

    const open = async () => {
      const runtime = await harness.open(dataDir);
      opened.push(runtime);
      return runtime;
    };

    beforeEach(() => {
      dataDir = realpathSync(mkdtempSync(join(tmpdir(), "headrace-runtime-")));
    });

    afterEach(async () => {
      const last = await harness.open(dataDir);
      const left = (await last.list()).map((job) => job.job);
      for (const job of new Set([...left, "a", "b"])) await last.remove(job);
      await last.close();
      for (const runtime of opened.splice(0)) await runtime.close();
      expect(await last.list()).toEqual([]);
      await until("nothing of the jobs is left", async () => (await harness.left(dataDir)).length === 0);
      rmSync(dataDir, { recursive: true });
    });

    test("a job runs, and its output and exit code are kept", async () => {
      const runtime = await open();
      await runtime.start(spec("a", "echo out; echo err >&2; exit 7"));
      const ended = await untilEnded(runtime, "a");
      expect(ended).toMatchObject({ job: "a", replica: "replica-a", attempt: 1 });
      expect(ended.end).toMatchObject({ exitCode: 7, signal: null, outOfMemory: false });
      expect(ended.end?.tail.split("\n")).toEqual(expect.arrayContaining(["out", "err"]));
      expect(await texts(runtime, "a")).toEqual(expect.arrayContaining(["out", "err"]));
    });

    test("the commands get the environment they were given", async () => {
      const runtime = await open();
      await runtime.start(spec("a", 'echo "$GIVEN"', { GIVEN: "it's $HOME" }));
      await untilEnded(runtime, "a");
      expect(await texts(runtime, "a")).toEqual(["it's $HOME"]);
    });

    test("the processes of a job are known, children included, and no others", async () => {
      const runtime = await open();
      await runtime.start(spec("a", "sleep 600 & echo up; wait"));
      await runtime.start(spec("b", "echo up; exec sleep 700"));
      for (const job of ["a", "b"]) {
        await until(`${job} is up`, async () => (await texts(runtime, job)).includes("up"));
      }
      const sleepers = (pids: number[] | null) =>
        (pids ?? []).map(commandLine).filter((words) => words.startsWith("sleep "));
      await until("both sleep", async () => {
        const all = [await runtime.processes("a"), await runtime.processes("b")].map(sleepers);
        return JSON.stringify(all) === JSON.stringify([["sleep 600"], ["sleep 700"]]);
      });
      await runtime.signal("a", "SIGKILL");
      await untilEnded(runtime, "a");
      expect(await runtime.processes("a")).toEqual([]);
    });

    test("a listener hears of an end", async () => {
      const runtime = await open();
      const go = join(dataDir, "go");
      await runtime.start(spec("a", WAIT_FOR_FILE, { GO: go }));
      const heard = new Promise<RuntimeJob[]>((resolve) => {
        runtime.onChange(async () => {
          const jobs = await runtime.list();
          if (jobs.every((job) => job.state === "ended")) resolve(jobs);
        });
      });
      writeFileSync(go, "");
      expect(await heard).toHaveLength(1);
    });

    test("SIGTERM reaches every process of a job, and one that traps it gets the time it needs", async () => {
      const runtime = await open();
      const child =
        "trap 'echo child asked; sleep 0.3; echo child done; exit 0' TERM; echo up; while :; do sleep 0.05; done";
      await runtime.start(spec("a", `sh -c "${child}" & sh -c "${child}"; wait; exit 5`));
      await until(
        "both children are up",
        async () => (await texts(runtime, "a")).filter((t) => t === "up").length === 2,
      );
      await runtime.signal("a", "SIGTERM");
      const { end } = await untilEnded(runtime, "a");
      const said = await texts(runtime, "a");
      expect(said.filter((text) => text === "child asked")).toHaveLength(2);
      expect(said.filter((text) => text === "child done")).toHaveLength(2);
      expect(end?.exitCode).toBe(5);
    });

    test("SIGKILL ends a job that ignores SIGTERM, and a signal is told apart from an exit code", async () => {
      const runtime = await open();
      await runtime.start(spec("a", "trap '' TERM; echo up; while :; do sleep 1; done"));
      await until("the job is up", async () => (await texts(runtime, "a")).includes("up"));
      await runtime.signal("a", "SIGTERM");
      expect((await find(runtime, "a")).state).toBe("running");
      await runtime.signal("a", "SIGKILL");
      expect((await untilEnded(runtime, "a")).end).toMatchObject({ exitCode: null, signal: "SIGKILL" });
      await runtime.start(spec("a", "exit 137", {}, 2));
      expect((await untilEnded(runtime, "a")).end).toMatchObject({ exitCode: 137, signal: null });
      await runtime.signal("a", "SIGTERM");
    });

    test("a crash takes along what the job left running, so that it can be started again", async () => {
      const runtime = await open();
      await runtime.start(spec("a", "setsid sh -c 'echo up; exec sleep 600' & sleep 0.3; exit 1"));
      expect((await untilEnded(runtime, "a")).end?.exitCode).toBe(1);
      await runtime.start(spec("a", "echo again", {}, 2));
      await untilEnded(runtime, "a");
      expect(await texts(runtime, "a")).toContain("again");
    });

    test("remove kills what escaped its session, running or not", async () => {
      const runtime = await open();
      await runtime.start(spec("a", "(setsid sh -c 'trap \"\" TERM HUP; echo out; exec sleep 600' &) ; sleep 600"));
      await until("the escapee is up", async () => (await texts(runtime, "a")).includes("out"));
      await runtime.remove("a");
      expect(await runtime.list()).toEqual([]);
      expect(await harness.left(dataDir)).toEqual([]);
      await runtime.remove("a");
    });

    test("jobs end apart from each other", async () => {
      const runtime = await open();
      await Promise.all([runtime.start(spec("a", "sleep 600")), runtime.start(spec("b", "sleep 600"))]);
      await runtime.remove("a");
      expect((await runtime.list()).map(({ job, state }) => [job, state])).toEqual([["b", "running"]]);
    });

    test("a second runtime adopts what a first one left, with its incarnation", async () => {
      const first = await open();
      const go = join(dataDir, "go");
      await first.start(spec("a", `echo one; ${WAIT_FOR_FILE}; exit 4`, { GO: go }));
      await first.start(spec("b", "exit 6"));
      await untilEnded(first, "b");
      const before = await find(first, "a");
      await first.close();
      const second = await open();
      const adopted = await find(second, "a");
      expect(adopted).toMatchObject({ state: "running", incarnation: before.incarnation, attempt: 1 });
      expect((await find(second, "b")).end?.exitCode).toBe(6);
      const heard = new Promise<void>((resolve) => second.onChange(resolve));
      writeFileSync(go, "");
      await heard;
      expect((await untilEnded(second, "a")).end?.exitCode).toBe(4);
      expect(await texts(second, "a")).toContain("one");
    });

    test("a job goes on, logs and is adopted when its agent was killed", async () => {
      await harness.startAndDie(
        dataDir,
        spec("a", "i=0; while :; do i=$((i+1)); echo line $i; sleep 0.05; done"),
        null,
      );
      const runtime = await open();
      expect((await find(runtime, "a")).state).toBe("running");
      const before = (await texts(runtime, "a")).length;
      await until("it goes on logging", async () => (await texts(runtime, "a")).length > before);
      await runtime.signal("a", "SIGTERM");
      await runtime.signal("a", "SIGKILL");
      expect((await untilEnded(runtime, "a")).end?.signal).toBe("SIGKILL");
    });

    test("wherever an agent dies while it starts a job, the job runs at most once and is never lost", async () => {
      const marks = join(dataDir, "marks");
      for (let death = 0; death < DEATHS; death++) {
        const afterMs = (harness.startTakesMs / (DEATHS - 1)) * death;
        await harness.startAndDie(dataDir, spec("a", `echo run >> ${marks}; exec sleep 600`), afterMs);
        const runtime = await open();
        await until("the job runs", async () => {
          const found = (await runtime.list()).find((job) => job.job === "a");
          if (found?.state === "running") return true;
          // What a restarted agent does: it starts the next attempt, and when that is refused it looks again.
          const next = spec("a", `echo run >> ${marks}; exec sleep 600`, {}, (found?.attempt ?? 0) + 1);
          await runtime.start(next).catch(() => {});
          return false;
        });
        await until("its command ran", () => existsSync(marks) && readFileSync(marks, "utf8") !== "");
        expect(readFileSync(marks, "utf8"), `killed after ${afterMs} ms`).toBe("run\n");
        await runtime.remove("a");
        rmSync(marks);
      }
    });

    test("a job that runs, and an attempt that was started, are not started again", async () => {
      const runtime = await open();
      await runtime.start(spec("a", "sleep 600"));
      await expect(runtime.start(spec("a", "sleep 600", {}, 2))).rejects.toThrow(/still runs/);
      const twice = await Promise.allSettled([
        runtime.start(spec("b", "sleep 600")),
        runtime.start(spec("b", "sleep 600")),
      ]);
      expect(twice.map((one) => one.status).sort()).toEqual(["fulfilled", "rejected"]);
      await runtime.signal("a", "SIGKILL");
      await untilEnded(runtime, "a");
      await expect(runtime.start(spec("a", "sleep 600", {}, 1))).rejects.toThrow(/started before/);
    });

    test("what cannot be started says why and leaves nothing", async () => {
      const runtime = await open();
      const start = (launch: Partial<StartSpec["launch"]>) => {
        const plain = spec("a", "true");
        return runtime.start({ ...plain, launch: { ...plain.launch, ...launch } });
      };
      await expect(start({ shell: "no-such-shell" })).rejects.toThrow(/the shell "no-such-shell" is not (on|in) /);
      await expect(start({ shell: "/bin/no-such" })).rejects.toThrow(/the shell "\/bin\/no-such" is not (on|in) /);
      expect(await runtime.list()).toEqual([]);
      expect(await harness.left(dataDir)).toEqual([]);
    });

    test("a log keeps to its bound and to the end of what was said", async () => {
      const runtime = await open();
      await runtime.start(spec("a", `yes ${LINE} | head -c 50000000; echo; echo the end`));
      await untilEnded(runtime, "a", 60_000);
      expect(await harness.logBytes(dataDir, "a")).toBeLessThanOrEqual(LOG_BYTES_MAX);
      const last = await texts(runtime, "a");
      expect(last.slice(0, 900)).toEqual(Array(900).fill(LINE));
      expect(last.at(-1)).toBe("the end");
    });

    test("a log is followed over attempts, and following ends when the job is removed", async () => {
      const runtime = await open();
      await runtime.start(spec("a", "echo early; echo one"));
      await untilEnded(runtime, "a");
      const lines = followed(runtime, "a", { tailLines: 1 });
      expect(await lines.next()).toMatchObject({ replica: "replica-a", attempt: 1, text: "one" });
      await runtime.start(spec("a", "echo two; sleep 600", {}, 2));
      expect(await lines.next()).toMatchObject({ attempt: 2, text: "two" });
      await runtime.remove("a");
      expect(await lines.next()).toBeNull();
    });

    test("following ends when it is told to", async () => {
      const runtime = await open();
      await runtime.start(spec("a", "echo one; sleep 600"));
      const abort = new AbortController();
      const lines = followed(runtime, "a", { tailLines: 10 }, abort.signal);
      expect(await lines.next()).toMatchObject({ text: "one" });
      abort.abort();
      expect(await lines.next()).toBeNull();
    });
  });
}

/** Words of a process's command line with blanks between; empty for one that is gone. */
function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
}
