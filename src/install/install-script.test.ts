import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { installScript, shellQuoted } from "./install-script.ts";
import { ownNode, pinnedNode } from "./pinned-node.ts";
import { UNIT, unitFile } from "./unit.ts";

const SHA = { agent: "a".repeat(64), node: "b".repeat(64) };
const script = installScript({
  agentSha256: SHA.agent,
  nodes: [ownNode("x64", SHA.node), pinnedNode("arm64", "https://mirror.example.com/{version}/{arch}.tgz")],
});

/** Folders for one host, which stays as it is: the script runs as whoever runs the tests. */
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "headrace-install-"));
  mkdirSync(join(root, "bin"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A program in front of those of this machine. */
function program(name: string, text: string) {
  writeFileSync(join(root, "bin", name), `#!/bin/sh\n${text}\n`);
  chmodSync(join(root, "bin", name), 0o755);
}

function run(settings: Record<string, string> = {}) {
  const all = {
    HEADRACE_SERVER: "http://server.test",
    HEADRACE_DIR: join(root, "opt"),
    HEADRACE_DATA_DIR: join(root, "data"),
    HEADRACE_INIT: "process",
    ...settings,
  };
  const told = Object.entries(all).map(([name, value]) => `${name}=${shellQuoted(value)}\n`);
  const path = `${join(root, "bin")}:${process.env.PATH}`;
  return spawnSync("/bin/sh", { input: told.join("") + script, encoding: "utf8", env: { PATH: path } });
}

describe("the script that installs an agent", () => {
  it("is read by every shell of POSIX that is here", () => {
    for (const shell of ["sh", "dash", "bash"]) {
      const { status, stderr, error } = spawnSync(shell, ["-n"], { input: script, encoding: "utf8" });
      if (error === undefined) expect(stderr, shell).toBe("");
      if (error === undefined) expect(status, shell).toBe(0);
    }
  });

  it.skipIf(spawnSync("shellcheck", ["--version"]).error !== undefined)("has nothing that shellcheck finds", () => {
    const { stdout } = spawnSync("shellcheck", ["--shell=sh", "-"], { input: script, encoding: "utf8" });
    expect(stdout).toBe("");
  });

  it("does nothing when its download was cut off at any line", () => {
    const lines = script.trimEnd().split("\n");
    for (let kept = 1; kept < lines.length; kept += 7) {
      const cut = lines.slice(0, kept).join("\n");
      spawnSync("/bin/sh", { input: `HEADRACE_DIR=${root}/opt\n${cut}`, env: { PATH: "" } });
    }
    expect(readdirSync(root)).toEqual(["bin"]);
  });

  it("says all that is missing at once, and leaves nothing", () => {
    program("uname", "echo riscv64");
    const { status, stderr } = run({ HEADRACE_SERVER: "", HEADRACE_DATA_DIR: "data" });
    expect(status).toBe(1);
    expect(stderr).toBe(`headrace: the agent cannot be installed here:
  - HEADRACE_SERVER says which server to join: take the whole line that headrace host join prints
  - HEADRACE_DATA_DIR is no absolute path
  - hosts run Linux, and this is riscv64
`);
    expect(readdirSync(root)).toEqual(["bin"]);
  });

  it("names the kind of machine that there is no agent for", () => {
    program("uname", '[ "$1" = -m ] && echo riscv64 || echo Linux');
    expect(run().stderr).toContain("there is no agent for machines of the kind riscv64");
  });

  it("asks for root where it would install for the whole machine", () => {
    program("id", "echo 1000");
    expect(run({ HEADRACE_DIR: "" }).stderr).toContain("it must run as root: end the line with | sudo sh");
    expect(run({ HEADRACE_INIT: "systemd" }).stderr).toContain("it must run as root");
  });

  it("refuses what does not have its checksum, and leaves nothing", () => {
    program("curl", 'while [ "$1" != -o ]; do shift; done; echo other >"$2"');
    const { status, stderr } = run();
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /what came from http:\/\/server\.test\/install is not what was expected \(SHA-256 [0-9a-f]{64}, not a{64}\)/,
    );
    expect(readdirSync(root)).toEqual(["bin"]);
  });

  it("says what cannot be fetched, and leaves nothing", () => {
    program("curl", "echo 'curl: (7) no route' >&2; exit 7");
    const { status, stderr } = run();
    expect(status).toBe(1);
    expect(stderr).toBe(
      `curl: (7) no route\nheadrace: http://server.test/install/${SHA.agent}.tar.gz cannot be fetched, as said above. ` +
        "Is it reachable from this host?\n",
    );
    expect(readdirSync(root)).toEqual(["bin"]);
  });

  describe("asks the server about the token before it fetches anything", () => {
    /** A curl that answers the question so, notes its arguments and its input, and can fetch nothing. */
    const curl = (status: string, said = "") =>
      program(
        "curl",
        `echo "$*" >>'${root}/arguments'
case $* in
  *"-K -"*) cat >>'${root}/input'
    while [ "$1" != -o ]; do shift; done
    echo '{"error":{"code":"x","message":"${said}"}}' >"$2"
    printf ${status} ;;
  *) exit 7 ;;
esac`,
      );
    const read = (name: string) => readFileSync(join(root, name), "utf8");
    const token = { HEADRACE_JOIN_TOKEN: "hrj_secret", HEADRACE_FLEET: "h100" };

    it("and ends where it would be refused, with the server's words", () => {
      curl("403", "this join token was used before or has expired");
      const { status, stderr } = run(token);
      expect(status).toBe(1);
      expect(stderr).toBe(
        "headrace: the server http://server.test does not accept this join token (403): " +
          "this join token was used before or has expired. Nothing was installed.\n",
      );
      expect(read("arguments").trim().split("\n")).toHaveLength(1);
      expect(read("arguments")).toContain("http://server.test/agent/join?fleet=h100");
      expect(read("arguments")).not.toContain("hrj_secret");
      expect(read("input")).toContain("Authorization: Bearer hrj_secret");
      expect(readdirSync(root).sort()).toEqual(["arguments", "bin", "input"]);
    });

    it.each(["200", "404", "429", "503", "000"])("and goes on where the answer is %s", (status) => {
      curl(status);
      expect(run(token).stderr).toContain("cannot be fetched, as said above");
    });

    it("but not where the host has joined, or may have", () => {
      curl("403");
      for (const name of ["credential.json", "joining.json"]) {
        mkdirSync(join(root, "data"), { recursive: true });
        writeFileSync(join(root, "data", name), "{}");
        expect(run(token).stderr).toContain("cannot be fetched, as said above");
        rmSync(join(root, "data", name));
      }
    });
  });

  it("takes wget where there is no curl", () => {
    for (const name of ["sh", "id", "uname", "tar", "gzip", "sha256sum", "sed", "awk", "df", "dirname", "setsid"]) {
      program(name, `exec /usr/bin/env -u PATH PATH=${shellQuoted(process.env.PATH ?? "")} ${name} "$@"`);
    }
    for (const name of ["mkdir", "rm"]) program(name, `exec /bin/${name} "$@"`);
    program("wget", 'echo "asked wget for $6" >&2; exit 4');
    const told = `HEADRACE_SERVER=http://server.test HEADRACE_DIR=${root}/opt HEADRACE_DATA_DIR=${root}/data HEADRACE_INIT=process\n`;
    const { stderr } = spawnSync("/bin/sh", {
      input: told + script,
      encoding: "utf8",
      env: { PATH: join(root, "bin") },
    });
    expect(stderr).toContain(`asked wget for http://server.test/install/${SHA.agent}.tar.gz\n`);
  });
});

describe("the unit", () => {
  it("restarts the agent always, and ends it alone", () => {
    const unit = unitFile("/opt/headrace/run");
    for (const line of ["Restart=always", "KillMode=process", "LimitMEMLOCK=infinity", "LimitNOFILE=1048576"]) {
      expect(unit.split("\n")).toContain(line);
    }
  });

  it.skipIf(spawnSync("systemd-analyze", ["--version"]).error !== undefined)("is one that systemd reads", () => {
    const path = join(root, UNIT);
    writeFileSync(path, unitFile("/bin/true"));
    const { stderr } = spawnSync("systemd-analyze", ["verify", path], { encoding: "utf8" });
    expect(stderr.split("\n").filter((line) => line.includes(UNIT))).toEqual([]);
  });
});
