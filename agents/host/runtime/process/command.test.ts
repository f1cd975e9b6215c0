import { expect, test } from "vitest";
import type { StartSpec } from "../types.ts";
import { buildCommand } from "./command.ts";
import { tmpFolder } from "./folder.ts";

const jobDir = "/data/jobs/a";

function spec(launch: Partial<StartSpec["launch"]> = {}, env: Record<string, string> = {}): StartSpec {
  const plain = {
    runtime: "process" as const,
    image: null,
    shell: "sh",
    script: "a && b",
    env: {},
    workingDir: null,
    files: [],
    container: null,
  };
  return {
    job: "a",
    replica: "r",
    attempt: 1,
    launch: { ...plain, ...launch },
    accelerators: [],
    env,
    files: [],
    logBytesMax: 1,
  };
}

test("the script is one argument of an interactive shell, started in the job's own folder", () => {
  const command = buildCommand(spec(), jobDir, null);
  expect(command.file).toMatch(/^\/.*\/sh$/);
  expect(command).toMatchObject({ args: ["-i", "-c", "a && b"], cwd: "/data/jobs/a/work", user: null });
});

test("the runtime's additions stand where only the agent's own were inherited, and yield to the service's", () => {
  const agentsOwn = { HOME: "/root", TMPDIR: "/tmp", A: "1", PYTHONUNBUFFERED: "" };
  expect(buildCommand(spec({}, agentsOwn), jobDir, null).env).toEqual({
    A: "1",
    DSTACK_WORKING_DIR: `${jobDir}/work`,
    HEADRACE_WORKING_DIR: `${jobDir}/work`,
    PATH: process.env.PATH,
    PYTHONUNBUFFERED: "",
    HOME: "/data/jobs/a/home",
    TMPDIR: "/data/jobs/a/tmp",
    HEADRACE_JOB_DIR: jobDir,
  });
  const services = { HOME: "/models", PATH: "/bin", HEADRACE_JOB_DIR: "/elsewhere" };
  expect(buildCommand(spec({ env: services }, services), jobDir, null).env).toMatchObject({
    HOME: "/models",
    PATH: "/bin",
    HEADRACE_JOB_DIR: jobDir,
  });
});

test("another user is become with that user's groups", () => {
  const command = buildCommand(spec(), jobDir, { name: "runner", uid: 990, gid: 980 });
  expect(command.args.slice(0, 6)).toEqual(["--reuid", "990", "--regid", "980", "--init-groups", "--"]);
  expect(command.args.slice(6)).toEqual([expect.stringMatching(/\/sh$/), "-i", "-c", "a && b"]);
  expect(command.env).toMatchObject({ USER: "runner", LOGNAME: "runner" });
});

test("a shell or a folder that is not there is named, with what to do", () => {
  expect(() => buildCommand(spec({ shell: "fish-9", env: {} }, { PATH: "/bin" }), jobDir, null)).toThrow(
    'the shell "fish-9" is not on this host (looked on PATH: /bin); install it or name another with `shell`',
  );
  expect(() => buildCommand(spec({ workingDir: "/etc/passwd" }), jobDir, null)).toThrow(
    "the working directory /etc/passwd is not on this host; make it or leave `working_dir` out",
  );
});

test("TMPDIR leaves room for the name of a socket", () => {
  expect(tmpFolder(jobDir)).toBe("/data/jobs/a/tmp");
  const deep = tmpFolder(`/data/${"d".repeat(90)}/jobs/a`);
  expect(deep.length).toBeLessThanOrEqual(80);
  expect(tmpFolder(`/data/${"d".repeat(90)}/jobs/b`)).not.toBe(deep);
});
