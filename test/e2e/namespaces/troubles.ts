/**
 * What goes wrong on a host with containers, and what its operator is shown: run inside fresh network, mount and pid
 * namespaces, so that a disk can be filled, and all of it is gone when this process ends.
 *
 * Prints one line of JSON (`TroublesResult`) as its last line.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { importImage } from "../../contract/docker-runtime/launch.ts";
import { Dockerd } from "../../support/dockerd.ts";
import { CLI, type Running, runProcess, startProcess, until } from "../../support/processes.ts";
import { Registry } from "../../support/registry.ts";
import { tell } from "./tell.ts";

/** By the trouble: what was typed, and what was shown. */
export type TroublesResult = Record<string, string>;

const SMALL = "test/small:1";
const NO_SHELL = "test/no-shell:1";
const HOST = "box";
const DECLARED = "cpu=8,memory=64,disk=500";
/** What the services of this file ask for, or take another in its place. */
const PORT = 8000;
/** What one of them insists on, and a stranger has. */
const FIXED_PORT = 8100;
/** Room for what the server and the agent write. */
const HOST_DISK_BYTES = 512 * 1024 * 1024;
/** Room for the images, which are a few megabytes each. */
const ENGINE_DISK_BYTES = 96 * 1024 * 1024;
/** What is left of it when it is full. */
const LEFT_BYTES = 512 * 1024;

/** Always the same, since it is shown, and cut where a line is too long. */
const folder = "/run/box";
const engineDisk = join(folder, "engine");
const running: Running[] = [];
const parts: AsyncDisposable[] = [];

async function main(): Promise<TroublesResult> {
  execFileSync("ip", ["link", "set", "lo", "up"]);
  // The machine's own disk may be nearly full, which is shown.
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${HOST_DISK_BYTES}`, "tmpfs", "/run"]);
  mkdirSync(folder);
  mkdirSync(engineDisk);
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${ENGINE_DISK_BYTES}`, "tmpfs", engineDisk]);
  const [dockerd, registry] = await Promise.all([Dockerd.start([], engineDisk), Registry.start()]);
  parts.push(dockerd, registry);
  const remote = `${registry.host}/test/remote:1`;
  for (const image of [SMALL, remote]) await importImage(dockerd, image, { shell: true });
  await importImage(dockerd, NO_SHELL, { shell: false });
  await dockerd.push(remote, registry.auth);
  await startHeadrace(dockerd.socket);
  const [cannotRun, taken] = await Promise.all([images(remote, registry.host), portTakenBefore()]);
  return {
    ...cannotRun,
    ...taken,
    ...(await killed(dockerd)),
    ...(await portTakenMeanwhile()),
    ...(await engineAway(dockerd)),
    ...(await fullDisk(remote)),
  };
}

/** Images that cannot be had, or cannot be run. */
async function images(remote: string, host: string): Promise<TroublesResult> {
  const login = (password: string) => `registry_auth: {username: puller, password: ${password}}`;
  const files: Record<string, string> = {
    "image-not-there": service({ image: `${host}/test/none:1`, more: login("right") }),
    "wrong-password": service({ image: remote, more: login("wrong") }),
    "no-shell": service({ image: NO_SHELL }),
  };
  const shown = Object.entries(files).map(async ([name, text]) => {
    const file = write(name, text);
    await headrace("apply", "-f", file, "-y", "-d");
    const failed = await showWhen(/will be started again/, "ps", name);
    const replaced = await showWhen(/could not be started 3 times/, "ps", name);
    const again = await headrace("apply", "-f", file, "-y", "--timeout", "1s");
    await headrace("stop", name, "-y");
    return [
      [name, [failed, replaced].join("\n")],
      [`${name}, applied`, again.output],
    ];
  });
  return Object.fromEntries((await Promise.all(shown)).flat());
}

/** A container that somebody killed on the host. */
async function killed(engine: Dockerd): Promise<TroublesResult> {
  await headrace("apply", "-f", write("web", service({})), "-y", "--timeout", "60s");
  const [container] = await engine.containers();
  await engine.call("POST", `/containers/${container?.Id}/kill`);
  const again = await showWhen(/ready +box:\d+ .*SIGKILL/, "ps", "web");
  return { "container-killed": again, "second start": (await headrace("logs", "web")).output };
}

/** Somebody else's program takes the port of a job that has not come to listen on it. */
async function portTakenMeanwhile(): Promise<TroublesResult> {
  const late = service({ commands: "echo will never serve on $HEADRACE_PORT; exec sleep 600", probes: "[]" });
  await headrace("apply", "-f", write("late", late), "-y", "-d");
  const before = await showWhen(/nothing listens/, "ps", "late");
  const stranger = await listen(Number(/nothing listens on port (\d+)/.exec(before)?.[1]));
  const meanwhile = await showWhen(/is held by/, "ps", "late");
  await headrace("stop", "late", "-y");
  await stranger.stop();
  return { "port-taken-while-it-runs": [before, meanwhile].join("\n") };
}

/** Somebody else's program had the port that a service insists on. */
async function portTakenBefore(): Promise<TroublesResult> {
  const stranger = await listen(FIXED_PORT);
  const fixed = service({ commands: `exec httpd -f -p ${FIXED_PORT} -h /www`, port: FIXED_PORT });
  await headrace("apply", "-f", write("taken", fixed), "-y", "-d");
  const refused = await showWhen(/could not be started.*will be started again/, "ps", "taken");
  const nowhere = await showWhen(/fits on no host/, "ps", "taken");
  const plan = await show("plan", "-f", write("other", fixed));
  await headrace("stop", "taken", "-y");
  await stranger.stop();
  return { "port-taken-before": [refused, nowhere, plan].join("\n") };
}

/** The engine is stopped, and started again. */
async function engineAway(engine: Dockerd): Promise<TroublesResult> {
  await engine.end();
  const list = await showWhen(/there is no Docker engine/, "host", "list");
  const away = [await show("host", "show", HOST), await show("ps", "web")];
  const plan = await show("plan", "-f", write("more", service({})));
  await engine.begin();
  const back = await showWhen(/JOBS +WRONG\n.* -\n/, "host", "list");
  return {
    "engine-stopped": [list, ...away, plan].join("\n"),
    "engine-started": [back, await show("ps", "web")].join("\n"),
  };
}

/** No room is left where the engine keeps its images. */
async function fullDisk(remote: string): Promise<TroublesResult> {
  const { bavail, bsize } = statfsSync(engineDisk);
  const filled = join(engineDisk, "filled");
  writeFileSync(filled, Buffer.alloc(bavail * bsize - LEFT_BYTES));
  const login = "registry_auth: {username: puller, password: right}";
  await headrace("apply", "-f", write("full", service({ image: remote, more: login })), "-y", "-d");
  const failed = await showWhen(/no space left.*; will be started again/, "ps", "full");
  const nowhere = await showWhen(/fits on no host/, "ps", "full");
  const host = [await show("host", "list"), await show("host", "show", HOST)];
  const plan = await show("plan", "-f", write("more", service({})));
  rmSync(filled);
  await showWhen(/JOBS +WRONG\n.* -\n/, "host", "list");
  return { "disk-full": [failed, nowhere, ...host, plan].join("\n") };
}

async function startHeadrace(dockerSocket: string): Promise<void> {
  const server = startProcess(
    [process.execPath, CLI, "server", "--host", "127.0.0.1", "--port", "3000", "--data-dir", join(folder, "server")],
    environment(),
  );
  running.push(server);
  await until(() => server.output().includes("serves at"), server.output);
  const token = (await headrace("token", "create", "--host")).stdout.trim();
  const flags = ["--server", "http://127.0.0.1:3000", "--name", HOST, "--address", "127.0.0.1", "--job-user", "same"];
  const own = ["--data-dir", join(folder, "agent"), "--docker-socket", dockerSocket, "--declare", DECLARED];
  const agent = startProcess([process.execPath, CLI, "agent", ...flags, ...own], {
    ...environment(),
    HEADRACE_JOIN_TOKEN: token,
  });
  running.push(agent);
  await showWhen(/online/, "host", "list");
}

/** A web server of busybox, which every image here has. */
function service({
  image = SMALL,
  more = "",
  commands = "exec httpd -f -p $HEADRACE_PORT -h /www",
  probes = "[{type: http, url: /health}]",
  port = PORT,
}): string {
  return `type: service
image: ${image}
${more}
commands:
  - mkdir -p /www $HF_HOME; echo ok > /www/health
  - test -e $HF_HOME/model && echo the model is here || echo fetched > $HF_HOME/model
  - ${commands}
port: ${port}
probes: ${probes}
`;
}

function write(name: string, text: string): string {
  const file = join(folder, `${name}.yml`);
  writeFileSync(file, `name: ${name}\n${text}`);
  return file;
}

/** A program of the host that has nothing to do with any job. */
async function listen(port: number): Promise<{ stop(): Promise<void> }> {
  const child = spawn("busybox", ["httpd", "-f", "-p", `127.0.0.1:${port}`, "-h", folder], { stdio: "ignore" });
  const ended = once(child, "exit");
  const answers = () =>
    fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    );
  await until(answers, () => `nothing listens on ${port}`);
  return {
    stop: async () => {
      child.kill();
      await ended;
    },
  };
}

function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: folder, XDG_CONFIG_HOME: join(folder, "config") };
}

function headrace(...args: string[]) {
  return runProcess([process.execPath, CLI, ...args], environment());
}

async function show(...args: string[]): Promise<string> {
  return `$ headrace ${args.join(" ")}\n${(await headrace(...args)).output}`;
}

/** A replica of before that has not gone yet: whether it is still shown depends on the moment. */
const LEAVING = / (unlisting|quiescing|stopping) /;

/** Shows it again and again until it says this, and nothing of what leaves. */
async function showWhen(pattern: RegExp, ...args: string[]): Promise<string> {
  let shown = "";
  await until(
    async () => {
      shown = await show(...args);
      return pattern.test(shown) && !LEAVING.test(shown);
    },
    () => `${pattern} is not in\n${shown}`,
  );
  return shown;
}

await tell(main, running, async () => {
  await Promise.all(running.map((each) => each.stop()));
  for (const part of parts) await part[Symbol.asyncDispose]();
});
