import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EXIT } from "./exit-codes.ts";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));

let home: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "headrace-cli-"));
});

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }
  await rm(home, { recursive: true, force: true });
});

/** The program as a process, with a home of its own. */
function start(...argv: string[]) {
  const env = { PATH: process.env.PATH, HOME: home };
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...argv], { env });
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

test("validate --json", async () => {
  const bad = join(home, "bad.yml");
  await writeFile(bad, "type: service\nname: chat\nport: eight\ncommands:\n  - serve\n");
  const { code, out, err } = await run("validate", "-f", bad, "--json");
  expect(code).toBe(EXIT.failed);
  expect(err).toBe("");
  expect(JSON.parse(out)).toMatchObject({ file: bad, ok: false, type: "service", errors: [{ line: 3, column: 7 }] });
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

  test("a port in use is said at once, and how to take another", async () => {
    const first = start("server", "--port", "0");
    await first.said("It is kept in ");
    const [, port] = /:(\d+)\n/.exec(first.seen.out)!;
    const second = await run("server", "--port", port!, "--data-dir", join(home, "other"));
    expect(second.code).toBe(EXIT.failed);
    expect(second.err).toMatch(new RegExp(`^error: .*${port}.*--port`));
  });
});
