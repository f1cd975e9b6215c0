import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import type { StartSpec } from "../types.ts";
import { homeFolder, tmpFolder, workFolder } from "./folder.ts";
import type { JobUser } from "./job-user.ts";
import { JOB_MARKER } from "./members.ts";
import type { Command } from "./spawn-supervisor.ts";

/**
 * The command line of a job: `<shell> -i -c <script>`, in `launch.workingDir` or the job's own `work` folder.
 * As another user it goes through `setpriv`, which also takes on that user's groups: on many hosts the accelerators'
 * device files belong to `video` or `render`. Without `setpriv` the job has the user's own group only.
 * @throws Error for people when the shell or the working directory is not there
 */
export function buildCommand(spec: StartSpec, jobDir: string, user: JobUser | null): Command {
  const env = buildEnvironment(spec, jobDir, user);
  const path = env.PATH ?? "";
  const shell = findExecutable(spec.launch.shell, path);
  if (shell === null) {
    throw new Error(
      `the shell "${spec.launch.shell}" is not on this host${isAbsolute(spec.launch.shell) ? "" : ` (looked on PATH: ${path})`}; ` +
        "install it or name another with `shell`",
    );
  }
  const cwd = spec.launch.workingDir ?? workFolder(jobDir);
  if (spec.launch.workingDir !== null && !isDirectory(cwd)) {
    throw new Error(`the working directory ${cwd} is not on this host; make it or leave \`working_dir\` out`);
  }
  const shellArgs = ["-i", "-c", spec.launch.script];
  if (user === null) return { file: shell, args: shellArgs, cwd, env, user: null };
  const ids = { uid: user.uid, gid: user.gid };
  const setpriv = findSetpriv();
  if (setpriv === null) return { file: shell, args: shellArgs, cwd, env, user: ids };
  const become = ["--reuid", String(user.uid), "--regid", String(user.gid), "--init-groups", "--"];
  return { file: setpriv, args: [...become, shell, ...shellArgs], cwd, env, user: null };
}

/**
 * The job's environment: the one it was given, and what this runtime adds.
 * - HOME, TMPDIR: folders of the job's own, gone with it. USER and LOGNAME where it runs as another user. What the
 *   service itself sets wins; what was merely inherited does not.
 * - PATH: the agent's, unless one was given.
 * - PYTHONUNBUFFERED: the job has no terminal, and Python would hold its lines back by the block.
 * - DSTACK_WORKING_DIR and its twin: where the commands start; a `working_dir` of the service comes with its environment.
 * - HEADRACE_JOB_DIR: the marker by which the job's processes are found; always ours.
 */
function buildEnvironment(spec: StartSpec, jobDir: string, user: JobUser | null): Record<string, string> {
  return {
    PATH: process.env.PATH ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    PYTHONUNBUFFERED: "1",
    DSTACK_WORKING_DIR: workFolder(jobDir),
    HEADRACE_WORKING_DIR: workFolder(jobDir),
    ...spec.env,
    HOME: spec.launch.env.HOME ?? homeFolder(jobDir),
    TMPDIR: spec.launch.env.TMPDIR ?? tmpFolder(jobDir),
    ...(user === null
      ? {}
      : { USER: spec.launch.env.USER ?? user.name, LOGNAME: spec.launch.env.LOGNAME ?? user.name }),
    [JOB_MARKER]: jobDir,
  };
}

/** The tool that becomes another user with all of its groups; Node alone takes only one along. */
export function findSetpriv(): string | null {
  return findExecutable("setpriv", process.env.PATH ?? "");
}

/** An absolute path, or a name looked up on a PATH; null when there is no such executable file. */
function findExecutable(name: string, path: string): string | null {
  const candidates = isAbsolute(name) ? [name] : path.split(delimiter).map((folder) => join(folder, name));
  return candidates.find((candidate) => isAbsolute(candidate) && isExecutable(candidate)) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
