import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { freePort } from "../../test/support/ports.ts";
import { EXIT } from "./exit-codes.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/headrace.js", import.meta.url));

/** Longer than an agent gives its jobs. */
const END_WITHIN_MS = 30_000;

let home: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "headrace-cli-"));
});

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    // Asked first: `dev` takes its agent and jobs with it, which a kill would leave behind.
    const gone = once(child, "exit");
    const hangs = setTimeout(() => child.kill("SIGKILL"), END_WITHIN_MS);
    child.kill("SIGTERM");
    await gone;
    clearTimeout(hangs);
  }
  await rm(home, { recursive: true, force: true });
});

/** The program as a process, with a home of its own. */
function start(...argv: string[]) {
  const env = { PATH: process.env.PATH, HOME: home };
  const child = spawn(PROGRAM, argv, { env });
  children.push(child);
  const seen = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text) => {
    seen.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    seen.err += text;
  });
  const exit = once(child, "close").then(([code]) => code as number);
  const said = async (part: string) => {
    while (!seen.out.includes(part)) {
      const more = await Promise.race([once(child.stdout, "data"), exit]);
      if (typeof more === "number")
        throw new Error(`It ended (${more}) before it said ${part}: ${seen.out}${seen.err}`);
    }
  };
  return { child, seen, exit, said };
}

async function run(...argv: string[]) {
  const { seen, exit } = start(...argv);
  return { code: await exit, ...seen };
}

/** A service that any machine can run: an HTTP server in one line of Node. */
const hello = (port: number) => `type: service
name: hello
port: ${port}
stop_duration: 1s
env:
  - GREETING
commands:
  - echo starting on $HEADRACE_PORT
  - >-
    exec ${process.execPath} -e 'require("http").createServer((request, response) =>
    response.end(process.env.GREETING)).listen(process.env.HEADRACE_PORT)'
probes:
  - type: http
    url: /health
resources:
  cpu: 1
  memory: 1MB..
  disk: 1MB..
`;

test("validate --json", async () => {
  const bad = join(home, "bad.yml");
  await writeFile(bad, "type: service\nname: chat\nport: eight\ncommands:\n  - serve\n");
  const { code, out, err } = await run("validate", "-f", bad, "--json");
  expect(code).toBe(EXIT.failed);
  expect(err).toBe("");
  expect(JSON.parse(out)).toMatchObject({ file: bad, ok: false, type: "service", errors: [{ line: 3, column: 7 }] });
});

test("a flag that Node has, too, is ours", async () => {
  const { code, err } = await run("plan", "-f", join(home, "no.yml"), "--env-file", join(home, "no.env"));
  expect(err).toBe(`error: Cannot read ${join(home, "no.yml")}: there is no such file.\n`);
  expect(code).toBe(EXIT.failed);
});

describe("a server", () => {
  test("shows its token once, keeps it, serves the other commands, and ends at Ctrl-C", async () => {
    const server = start("server", "--port", "0");
    await server.said("It is kept in ");
    const [, token] = /shown only now: (\S+)/.exec(server.seen.out)!;
    const file = join(home, ".config", "headrace", "config.json");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, "utf8")).toContain(token);

    expect(await run("ps", "--json")).toEqual({ code: EXIT.ok, out: "[]\n", err: "" });
    expect(await run("ps", "nope")).toMatchObject({ code: EXIT.notFound });
    const made = await run("token", "create", "--member", "--name", "ci", "--json");
    expect(JSON.parse(made.out)).toMatchObject({ token: expect.stringMatching(/^hrm_/), expiresAt: null });

    // A follower is open while the server ends, and does not hold it.
    const events = start("events", "-f", "--json");
    await events.said("project.created");
    server.child.kill("SIGINT");
    expect(await server.exit).toBe(EXIT.ok);
    events.child.kill("SIGINT");
    expect(await events.exit).toBe(EXIT.interrupted);
    expect(await run("ps")).toMatchObject({ code: EXIT.unreachable, out: "" });
  });

  test("started again it knows its token and shows none", async () => {
    const first = start("server", "--port", "0");
    await first.said("It is kept in ");
    const [, port] = /:(\d+)\n/.exec(first.seen.out)!;
    first.child.kill("SIGTERM");
    expect(await first.exit).toBe(EXIT.ok);
    const second = start("server", "--port", port!);
    await second.said("Headrace serves at ");
    expect((await run("ps")).code).toBe(EXIT.ok);
    expect(second.seen.out).not.toContain("hra_");
  });

  test("takes a token that was made in its data folder when all others are lost", async () => {
    const server = start("server", "--port", "0");
    await server.said("It is kept in ");
    const [, port] = /:(\d+)\n/.exec(server.seen.out)!;
    const made = await run("token", "create", "--local");
    expect(made.code, made.err).toBe(EXIT.ok);
    const answer = await fetch(`http://127.0.0.1:${port}/api/me`, {
      headers: { authorization: `Bearer ${made.out.trim()}` },
    });
    expect(await answer.json()).toMatchObject({ project: "main", kind: "admin" });
  });

  test("a port in use is said at once, and how to take another", async () => {
    const first = start("server", "--port", "0");
    await first.said("It is kept in ");
    const [, port] = /:(\d+)\n/.exec(first.seen.out)!;
    const second = await run("server", "--port", port!, "--data-dir", join(home, "other"));
    expect(second.code).toBe(EXIT.failed);
    expect(second.err).toMatch(new RegExp(`^error: .*${port}.*--port`));
    // That start made no token, which nobody would have seen.
    const third = start("server", "--port", "0", "--data-dir", join(home, "other"));
    await third.said("It is kept in ");
    third.child.kill("SIGTERM");
    await third.exit;
    // The first is still the one that commands mean.
    expect(third.seen.err).toContain(`Commands still mean http://127.0.0.1:${port}; set HEADRACE_SERVER=`);
  });
});

test("dev that is killed takes its agent and their jobs along", async () => {
  const file = join(home, "hello.yml");
  await writeFile(file, hello(await freePort()));
  // At another address than the folder's first server, for which nobody has a token yet.
  const server = start("server", "--port", "0");
  await server.said("It is kept in ");
  server.child.kill("SIGTERM");
  await server.exit;
  await rm(join(home, ".config", "headrace", "config.json"));
  const dev = start("dev", "--port", "0");
  await dev.said("A host is joining");
  const applied = await run("apply", "-f", file, "-y", "-e", "GREETING=hello", "--timeout", "60s");
  expect(applied, applied.err + dev.seen.err).toMatchObject({ code: EXIT.ok });
  const [{ port }] = JSON.parse((await run("ps", "hello", "--json")).out).replicas;
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
  dev.child.kill("SIGKILL");
  // The agent holds its output open until it is gone.
  await dev.exit;
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
});

test("dev: a service is applied, answers, is read, stopped and deleted, and nothing is left after Ctrl-C", async () => {
  const file = join(home, "hello.yml");
  await writeFile(file, hello(await freePort()));
  const dev = start("dev", "--port", "0");
  await dev.said("A host is joining");
  const [, url] = /Headrace serves at (\S+)/.exec(dev.seen.out)!;
  const [, token] = /shown only now: (\S+)/.exec(dev.seen.out)!;

  const applied = await run("apply", "-f", file, "-y", "-e", "GREETING=hello there", "--timeout", "60s");
  expect(applied, applied.err + dev.seen.err).toMatchObject({ code: EXIT.ok });
  expect(applied.out).toContain("hello will be created.");
  expect(applied.out).toContain("hello is ready after ");
  const answer = await fetch(`${url}/proxy/services/main/hello/`, { headers: { Authorization: `Bearer ${token}` } });
  expect(await answer.text()).toBe("hello there");

  expect((await run("ps")).out).toMatch(/^hello +ready +\S+ 1\/1/m);
  const [service] = JSON.parse((await run("ps", "--json")).out);
  const [replica] = service.replicas;
  expect((await run("logs", "hello")).out).toContain(`${replica.id} | starting on ${replica.port}`);
  expect((await run("events")).out).toContain(replica.id);
  expect(await run("delete", "hello", "-y")).toMatchObject({ code: EXIT.failed });
  expect((await run("apply", "-f", file, "-e", "GREETING=hello there")).out).toContain("hello is as the file says");

  expect(await run("stop", "hello", "-y")).toMatchObject({ code: EXIT.ok, err: "" });
  expect((await run("delete", "hello", "-y")).out).toBe("Deleted hello.\n");
  expect((await run("ps", "hello")).code).toBe(EXIT.notFound);

  await run("apply", "-f", file, "-y", "-e", "GREETING=again", "--timeout", "60s");
  const [again] = JSON.parse((await run("ps", "hello", "--json")).out).replicas;
  dev.child.kill("SIGINT");
  expect(await dev.exit).toBe(EXIT.ok);
  await expect(fetch(`http://127.0.0.1:${again.port}/`)).rejects.toThrow();
});
