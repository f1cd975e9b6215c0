import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PROBE_SCRIPT, parseProbe } from "./probe.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "headrace-probe-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function probe(env: Record<string, string> = {}) {
  const own = { HEADRACE_DIR: join(root, "opt"), HEADRACE_DATA_DIR: join(root, "data") };
  const said = spawnSync("/bin/sh", ["-s"], {
    input: PROBE_SCRIPT,
    encoding: "utf8",
    env: { PATH: process.env.PATH, ...own, ...env },
  });
  expect(said.stderr).toBe("");
  return parseProbe(said.stdout);
}

describe("what a host says of itself", () => {
  it("is nothing of an agent where there is none", () => {
    expect(probe()).toMatchObject({ joined: null, address: null, agent: "", runs: false });
  });

  it("is what it has joined, and which agent is there and runs", () => {
    const sha256 = "a".repeat(64);
    // Of several that are there, the one that runs.
    for (const build of [sha256, "b".repeat(64)]) mkdirSync(join(root, "opt/agent", build), { recursive: true });
    writeFileSync(join(root, "opt/build"), `${sha256}\n`);
    mkdirSync(join(root, "data"));
    const credential = { server: "https://h.test", project: "main", fleet: "f", host: "h-1", credential: "hrh_secret" };
    writeFileSync(join(root, "data/credential.json"), JSON.stringify(credential));
    writeFileSync(join(root, "data/supervise.pid"), String(process.pid));
    writeFileSync(
      join(root, "opt/run"),
      "#!/bin/sh\nexec '/n' '/a' --name 'h1' --address '10.0.0.5' --network 'x' \"$@\"\n",
    );
    expect(probe()).toMatchObject({
      address: "10.0.0.5",
      joined: { server: "https://h.test", fleet: "f", host: "h-1" },
      agent: sha256,
      runs: true,
    });
    expect(PROBE_SCRIPT).not.toContain("hrh_");
  });

  it("is who may change it", () => {
    const fake = join(root, "bin");
    mkdirSync(fake);
    const program = (name: string, text: string) =>
      writeFileSync(join(fake, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    program("id", '[ "$1" = -u ] && echo 1000 || echo ubuntu');
    const env = { PATH: `${fake}:${process.env.PATH}`, HEADRACE_DIR: "" };
    program("sudo", "exit 1");
    expect(probe(env)).toMatchObject({ access: "none", user: "ubuntu" });
    program("sudo", 'shift; exec "$@"');
    expect(probe(env)).toMatchObject({ access: "sudo" });
    expect(probe({ ...env, HEADRACE_DIR: root })).toMatchObject({ access: "own" });
    program("id", '[ "$1" = -u ] && echo 0 || echo root');
    expect(probe(env)).toMatchObject({ access: "root", user: "root" });
  });

  it("is read among what else a login prints, and not at all when it was cut off", () => {
    const text = "Welcome!\naccess=root\nuser=root\naddresses=10.0.0.5 fd00::5 \nserver=\nhost=\nruns=no\n";
    expect(parseProbe(text)).toBeNull();
    expect(parseProbe(`${text}probed=yes\n`)).toMatchObject({ addresses: ["10.0.0.5", "fd00::5"], joined: null });
    expect(parseProbe("access=god\nprobed=yes\n")).toBeNull();
  });
});
