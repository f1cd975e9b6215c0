import { type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dependenciesWanted, ROOT } from "./bootstrap.js";

/** A user should not have to wait longer to read that there is no network. */
const NO_NETWORK_SAID_WITHIN_MS = 15_000;

/** In a network namespace with nothing in it; as a normal user that needs a user namespace around it. */
const WITHOUT_NETWORK = process.getuid?.() === 0 ? ["unshare", "-n"] : ["unshare", "-rn"];

/** A checkout in a folder of its own, with a script in the place of the command line. */
let checkout: string;
beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), "headrace-checkout-"));
  for (const part of ["bin", "scripts", "package.json", "package-lock.json"])
    cpSync(join(ROOT, part), join(checkout, part), { recursive: true });
  mkdirSync(join(checkout, "src", "cli"), { recursive: true });
});
afterEach(() => rmSync(checkout, { recursive: true, force: true }));

function commandLine(script: string) {
  writeFileSync(join(checkout, "src", "cli", "main.ts"), script);
}

function pretendInstalled() {
  mkdirSync(join(checkout, "node_modules"));
  writeFileSync(join(checkout, "node_modules", ".headrace-installed"), dependenciesWanted());
}

function run(command: string[], env: NodeJS.ProcessEnv = {}): SpawnSyncReturns<string> {
  const [program, ...args] = command as [string, ...string[]];
  return spawnSync(program, args, { cwd: checkout, encoding: "utf8", env: { ...process.env, ...env } });
}

describe("with everything set up", () => {
  beforeEach(pretendInstalled);

  it("starts through a link from elsewhere, with its arguments and exit code, and says nothing of its own", () => {
    commandLine("console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = 7;");
    const link = join(checkout, "node_modules", "headrace");
    symlinkSync("../bin/headrace.js", link);
    const done = run([link, "ps", "--json", "two words"]);
    expect(done).toMatchObject({ status: 7, stdout: '["ps","--json","two words"]\n', stderr: "" });
  });

  it("needs no network", () => {
    commandLine("console.log('here');");
    const done = run([...WITHOUT_NETWORK, process.execPath, "bin/headrace.js"]);
    expect(done).toMatchObject({ status: 0, stdout: "here\n", stderr: "" });
  });

  it("puts its Node first on PATH, and changes nothing where that is first already", () => {
    commandLine("console.log(process.env.PATH);");
    const [own, other] = [dirname(process.execPath), join(checkout, "other")];
    mkdirSync(other);
    writeFileSync(join(other, "node"), "");
    const pathFor = (...entries: string[]) =>
      run([process.execPath, "bin/headrace.js"], { PATH: [...entries, "/usr/bin", "/bin"].join(delimiter) }).stdout;
    expect(pathFor("/empty", own)).toBe(`/empty:${own}:/usr/bin:/bin\n`);
    expect(pathFor(other, own)).toBe(`${own}:${other}:${own}:/usr/bin:/bin\n`);
  });

  it("is what `npx headrace` runs in the checkout", () => {
    commandLine("console.log('ours', process.argv[2]);");
    expect(run(["npx", "headrace", "ps"]).stdout).toBe("ours ps\n");
  });

  it("lets the script decide what a signal does", async () => {
    commandLine("process.on('SIGTERM', () => process.exit(9)); setInterval(() => {}, 1000); console.log('up');");
    const child = spawn(process.execPath, ["bin/headrace.js"], { cwd: checkout });
    await once(child.stdout, "data");
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([9, null]);
  });
});

describe("with nothing set up and no network", () => {
  it("says so at once, and leaves nothing that a later run would take for whole", () => {
    commandLine("console.log('never');");
    const start = performance.now();
    const cache = join(checkout, "empty-cache");
    const done = run([...WITHOUT_NETWORK, process.execPath, "bin/headrace.js"], { npm_config_cache: cache });
    expect(performance.now() - start).toBeLessThan(NO_NETWORK_SAID_WITHIN_MS);
    expect(done).toMatchObject({ status: 1, stdout: "" });
    expect(done.stderr).toMatch(/The npm registry cannot be reached: [\s\S]*Check it, or npm's own settings/);
    expect(existsSync(join(checkout, "node_modules", ".headrace-installed"))).toBe(false);
  });

  it("says so of Python too", () => {
    symlinkSync(join(ROOT, "node_modules"), join(checkout, "node_modules"));
    const start = performance.now();
    const make = [process.execPath, "scripts/make-python.ts"];
    const done = run([...WITHOUT_NETWORK, ...make], { PIP_NO_CACHE_DIR: "1", PIP_FIND_LINKS: "" });
    // Making the empty environment takes some seconds of this by itself.
    expect(performance.now() - start).toBeLessThan(2 * NO_NETWORK_SAID_WITHIN_MS);
    expect(done).toMatchObject({ status: 1, stdout: "" });
    expect(done.stderr).toMatch(/The Python package index cannot be reached: [\s\S]*Check it, or pip's own settings/);
  });
});

it("installs again when the lock file has changed", () => {
  const lock = join(checkout, "package-lock.json");
  pretendInstalled();
  commandLine("console.log('never');");
  writeFileSync(lock, `${readFileSync(lock, "utf8")}\n`);
  const cache = join(checkout, "empty-cache");
  const done = run([...WITHOUT_NETWORK, process.execPath, "bin/headrace.js"], { npm_config_cache: cache });
  expect(done.status).toBe(1);
  expect(done.stderr).toContain("Installing dependencies");
});

it("does not install into a folder that node_modules is a link to", () => {
  const shared = join(checkout, "shared");
  mkdirSync(shared);
  writeFileSync(join(shared, "package"), "of another checkout");
  symlinkSync(shared, join(checkout, "node_modules"));
  commandLine("console.log('never');");
  const done = run([process.execPath, "bin/headrace.js"], { npm_config_cache: join(checkout, "empty-cache") });
  expect(done).toMatchObject({ status: 1, stdout: "" });
  expect(done.stderr).toContain(`is a link to ${realpathSync(shared)}`);
  expect(readFileSync(join(shared, "package"), "utf8")).toBe("of another checkout");
});
