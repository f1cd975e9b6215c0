import { spawn } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { create } from "tar";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ModelCache } from "../../agents/host/model-cache.ts";
import { resolveJobUser } from "../../agents/host/runtime/process/job-user.ts";
import { openProcessRuntime } from "../../agents/host/runtime/process/process-runtime.ts";
import type { Runtime } from "../../agents/host/runtime/types.ts";
import { runtimeContract } from "./runtime.ts";
import { bytesUnder, find, killedOnItsWay, processesNaming, spec, texts, until, untilEnded } from "./runtime-help.ts";

const AGENT = fileURLToPath(new URL("./process-runtime/agent.ts", import.meta.url));

const isRoot = process.getuid?.() === 0;

for (const cgroups of [true, false]) {
  runtimeContract(cgroups ? "processes, in cgroups where the host has them" : "processes without cgroups", {
    open: (dataDir) => openProcessRuntime({ dataDir, user: null, cgroups }),
    startAndDie: async (dataDir, started, afterMs) => {
      const agent = spawn(process.execPath, [AGENT, dataDir, String(cgroups), JSON.stringify(started)], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await killedOnItsWay(agent, afterMs);
    },
    launch: () => ({}),
    left: async (dataDir) => [...readdirSync(join(dataDir, "jobs")), ...processesNaming(dataDir)],
    logBytes: async (dataDir, job) => bytesUnder(join(dataDir, "jobs", job, "logs")),
    startTakesMs: 320,
  });
}

describe("the folders of a process", () => {
  let dataDir = "";
  let runtime: Runtime;

  beforeEach(async () => {
    dataDir = realpathSync(mkdtempSync(join(tmpdir(), "headrace-folders-")));
    runtime = await openProcessRuntime({ dataDir, user: null });
  });

  afterEach(async () => {
    await runtime.remove("a");
    await runtime.close();
    rmSync(dataDir, { recursive: true });
  });

  test("HOME and TMPDIR are its own, and gone with it", async () => {
    await runtime.start(spec("a", 'cd; pwd; touch "$TMPDIR/x"; echo "$TMPDIR"'));
    await untilEnded(runtime, "a");
    const [home, tmp] = await texts(runtime, "a");
    expect(home).toContain(join(dataDir, "jobs", "a"));
    await runtime.remove("a");
    expect([home, tmp].map((folder) => existsSync(folder ?? "/"))).toEqual([false, false]);
  });

  test("models go into its host's folder for them, which outlives it, unless it says where itself", async () => {
    const cache = new ModelCache(join(dataDir, "models"));
    const caching = await openProcessRuntime({ dataDir, user: null, cache });
    const script = 'mkdir -p "$HF_HOME"; echo "$HF_HOME"; touch "$HF_HOME/model"';
    await caching.start(spec("a", script));
    await untilEnded(caching, "a");
    const own = join(dataDir, "mine");
    await caching.start(spec("a", script, { HF_HOME: own }, 2));
    await untilEnded(caching, "a");
    const shared = join(dataDir, "models", String(process.getuid?.() ?? 0), "huggingface");
    expect(await texts(caching, "a")).toEqual([shared, own]);
    await caching.remove("a");
    await caching.close();
    expect(readdirSync(shared)).toEqual(["model"]);
  });

  test("a working directory that is not there is said, and leaves nothing", async () => {
    const plain = spec("a", "true");
    const start = runtime.start({ ...plain, launch: { ...plain.launch, workingDir: "/no/such" } });
    await expect(start).rejects.toThrow(/working directory \/no\/such is not on this host/);
    expect(await runtime.list()).toEqual([]);
    expect(readdirSync(join(dataDir, "jobs"))).toEqual([]);
  });
});

describe("the process runtime's supervisors", () => {
  let dataDir = "";
  let runtime: Runtime;

  beforeEach(async () => {
    dataDir = realpathSync(mkdtempSync(join(tmpdir(), "headrace-supervisor-")));
    runtime = await openProcessRuntime({ dataDir, user: null });
  });

  afterEach(async () => {
    await runtime.remove("a");
    await runtime.close();
    expect(processesNaming(dataDir)).toEqual([]);
    rmSync(dataDir, { recursive: true });
  });

  const supervisor = (file: "run" | "supervisor"): number => {
    const record = JSON.parse(readFileSync(join(dataDir, "jobs/a/attempts/1", `${file}.json`), "utf8"));
    return file === "run" ? record.supervisor.pid : record.pid;
  };

  test("a job whose supervisor was killed runs on, is not started twice, and gets another supervisor", async () => {
    await runtime.start(spec("a", "i=0; while :; do i=$((i+1)); echo line $i; sleep 0.05; done"));
    await until("it logs", async () => (await texts(runtime, "a")).length > 0);
    const { incarnation } = await find(runtime, "a");
    process.kill(supervisor("run"), "SIGKILL");
    await until("another took over", () => existsSync(join(dataDir, "jobs/a/attempts/1/supervisor.json")));
    expect(await find(runtime, "a")).toMatchObject({ state: "running", incarnation });
    await expect(runtime.start(spec("a", "true", {}, 2))).rejects.toThrow(/still runs/);
    const before = (await texts(runtime, "a")).length;
    await until("it goes on logging", async () => (await texts(runtime, "a")).length > before);
    // What was said while nobody read waited in the pipe: no line is missing.
    const numbers = (await texts(runtime, "a")).map((text) => Number(text.slice("line ".length)));
    expect(numbers).toEqual(numbers.map((_, at) => at + 1));
    await runtime.signal("a", "SIGKILL");
    expect((await untilEnded(runtime, "a")).end).toMatchObject({ exitCode: null, signal: null, outOfMemory: false });
  });

  test("a job that writes while its supervisor is dead is neither ended by SIGPIPE nor held up for good", async () => {
    const write = "yes 0123456789 | head -n 100000; echo wrote all; sleep 600";
    await runtime.start(spec("a", `echo up; until [ -e "$HOME/go" ]; do sleep 0.02; done; ${write}`));
    await until("it is up", async () => (await texts(runtime, "a")).includes("up"));
    process.kill(supervisor("run"), "SIGKILL");
    writeFileSync(join(dataDir, "jobs/a/home/go"), "");
    await until("it wrote more than a pipe holds", async () => (await texts(runtime, "a", 5)).includes("wrote all"));
  });

  test("where there are cgroups, a process that leaves its session and clears its environment is killed too", async (context) => {
    if (runtime.warnings.length > 0) context.skip("this host gives no cgroups");
    await runtime.start(spec("a", `setsid env -i "$(command -v sleep)" 600.25 & sleep 0.2; echo up; sleep 600`));
    await until("it is up", async () => (await texts(runtime, "a")).includes("up"));
    await runtime.remove("a");
    expect(processesNaming("600.25")).toEqual([]);
  });

  test("a job and its supervisor killed together count as ended, in an unknown way", async () => {
    await runtime.start(spec("a", "exec sleep 600"));
    const main = JSON.parse(readFileSync(join(dataDir, "jobs/a/attempts/1/main.json"), "utf8"));
    process.kill(supervisor("run"), "SIGKILL");
    process.kill(main.pid, "SIGKILL");
    expect((await untilEnded(runtime, "a")).end).toMatchObject({ exitCode: null, signal: null });
    await runtime.start(spec("a", "exit 3", {}, 2));
    expect((await untilEnded(runtime, "a")).end?.exitCode).toBe(3);
  });

  test("how long ago a job ended is known to whoever looks, and not after another boot", async () => {
    await runtime.start(spec("a", "exit 3"));
    const { endedMsAgo = Number.NaN, ageMs } = await untilEnded(runtime, "a");
    expect(endedMsAgo).toBeLessThanOrEqual(ageMs);
    const other = await openProcessRuntime({ dataDir, user: null });
    const seenByOther = async () => (await find(other, "a")).endedMsAgo ?? Number.NaN;
    await until("it is longer ago", async () => (await seenByOther()) > endedMsAgo);
    await other.close();
    const record = join(dataDir, "jobs/a/attempts/1/run.json");
    const run = JSON.parse(readFileSync(record, "utf8"));
    writeFileSync(record, JSON.stringify({ ...run, bootId: "another" }));
    expect(await find(runtime, "a")).not.toHaveProperty("endedMsAgo");
  });

  test("SIGTERM sent to a supervisor reaches the job, and the job's end is still recorded", async () => {
    await runtime.start(spec("a", "trap 'exit 9' TERM; echo up; while :; do sleep 0.05; done"));
    await until("it is up", async () => (await texts(runtime, "a")).includes("up"));
    process.kill(supervisor("run"), "SIGTERM");
    expect((await untilEnded(runtime, "a")).end?.exitCode).toBe(9);
  });

  test("after a stop, what outlives the main process may go on until it is killed", async () => {
    const child = "trap 'sleep 0.4; echo drained; exit 0' TERM; echo up; while :; do sleep 0.05; done";
    await runtime.start(spec("a", `trap 'exit 2' TERM; setsid sh -c "${child}" & wait; wait`));
    await until("the child is up", async () => (await texts(runtime, "a")).includes("up"));
    await runtime.signal("a", "SIGTERM");
    expect((await untilEnded(runtime, "a")).end?.exitCode).toBe(2);
    expect(await texts(runtime, "a")).toContain("drained");
  });

  test("what is on record of another boot names no process of this one", async () => {
    await runtime.start(spec("a", "sleep 600"));
    await runtime.close();
    const path = join(dataDir, "jobs/a/attempts/1/run.json");
    const record = JSON.parse(readFileSync(path, "utf8"));
    writeFileSync(path, JSON.stringify({ ...record, bootId: "another" }));
    runtime = await openProcessRuntime({ dataDir, user: null });
    expect(await find(runtime, "a")).toMatchObject({ state: "ended", end: { exitCode: null, signal: null } });
  });

  test("files that travel are put where commands start once, and what a command changed stays over attempts", async () => {
    writeFileSync(join(dataDir, "greeting"), "hello\n");
    const archive = create({ cwd: dataDir, sync: true, portable: true }, ["greeting"]).read() as Buffer;
    let fetched = 0;
    const fetch = async () => {
      fetched += 1;
      return archive;
    };
    for (const attempt of [1, 2]) {
      const script = "cat greeting; echo again >> greeting";
      await runtime.start({ ...spec("a", script, {}, attempt), files: [{ path: "greeting", fetch }] });
      await untilEnded(runtime, "a");
    }
    expect(await texts(runtime, "a")).toEqual(["hello", "hello", "again"]);
    expect(fetched).toBe(1);
  });

  test("a data folder with a long path still gives a TMPDIR in which sockets can be made", async () => {
    const deep = join(dataDir, "d".repeat(100));
    const other = await openProcessRuntime({ dataDir: deep, user: null });
    await other.start(spec("a", 'echo "$TMPDIR"; touch "$TMPDIR/x"'));
    await untilEnded(other, "a");
    const tmp = (await texts(other, "a"))[0] ?? "";
    expect(Buffer.byteLength(tmp)).toBeLessThan(80);
    expect(existsSync(join(tmp, "x"))).toBe(true);
    await other.remove("a");
    await other.close();
    expect(existsSync(tmp)).toBe(false);
  });
});

describe.runIf(isRoot)("jobs as another user", () => {
  test("run as that user, own their folders, cannot read the agent's files, and leave nothing", async () => {
    const dataDir = realpathSync(mkdtempSync(join(tmpdir(), "headrace-user-")));
    const credential = join(dataDir, "credential");
    writeFileSync(credential, "secret", { mode: 0o600 });
    const runtime = await openProcessRuntime({ dataDir, user: await resolveJobUser("nobody") });
    const script = `id -un; cat ${credential} || echo refused; touch ~/x "$TMPDIR/y" z; echo to stderr > /dev/stderr; mkdir -p ~/deep/er; pwd`;
    await runtime.start(spec("a", script));
    expect((await untilEnded(runtime, "a")).end?.exitCode).toBe(0);
    const said = await texts(runtime, "a");
    expect(said).toEqual(expect.arrayContaining(["nobody", "refused", "to stderr", join(dataDir, "jobs/a/work")]));
    expect(statSync(join(dataDir, "jobs/a/home/x")).uid).not.toBe(0);
    await runtime.start(spec("a", "trap '' TERM; (setsid sleep 600 &); sleep 600", {}, 2));
    await runtime.remove("a");
    await runtime.close();
    expect(processesNaming(dataDir)).toEqual([]);
    expect(existsSync(join(dataDir, "jobs/a"))).toBe(false);
    rmSync(dataDir, { recursive: true });
  });

  test("are refused where that user cannot reach the data folder", async () => {
    const closed = realpathSync(mkdtempSync(join(tmpdir(), "headrace-closed-")));
    const user = await resolveJobUser("nobody");
    await expect(openProcessRuntime({ dataDir: join(closed, "data"), user })).rejects.toThrow(
      `jobs run as "nobody", who may not enter ${closed}`,
    );
    rmSync(closed, { recursive: true });
  });
});
