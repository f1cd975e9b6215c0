import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RUN_SCRIPT } from "./run-script.ts";

const [OLD, NEW] = ["a".repeat(64), "b".repeat(64)] as [string, string];

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "headrace-run-"));
  mkdirSync(join(dir, "bin"));
  for (const build of [OLD, NEW]) {
    mkdirSync(join(dir, "agent", build), { recursive: true });
    writeFileSync(join(dir, "agent", build, "agent.cjs"), "");
  }
  put("build", OLD);
  begins('echo "$@"; env | grep ^HEADRACE_');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** What is done in place of the agent, with the path of its program. */
function begins(agent: string): void {
  const settings = `#!/bin/sh\ndir='${dir}'\nfrom=http://server.test/install\nstart_agent() {\n${agent}\n}\n`;
  writeFileSync(join(dir, "run"), settings + RUN_SCRIPT, { mode: 0o755 });
}

const put = (name: string, text: string) => writeFileSync(join(dir, name), `${text}\n`);
const read = (name: string) => (existsSync(join(dir, name)) ? readFileSync(join(dir, name), "utf8").trim() : null);
const environment = (more: object = {}) => ({
  PATH: `${dir}/bin:${process.env.PATH}`,
  HEADRACE_TRIAL_S: "60",
  ...more,
});

/** @returns the build that was started; null where nothing was */
function start(...args: string[]): string | null {
  const { stdout } = spawnSync(join(dir, "run"), args, { encoding: "utf8", env: environment() });
  return /agent\/([0-9a-f]+)\/agent\.cjs/.exec(stdout)?.[1] ?? null;
}

describe("what starts an installed agent", () => {
  it("starts the build that has shown itself, and tells it where it is installed", () => {
    const { stdout, stderr } = spawnSync(join(dir, "run"), ["--leave"], { encoding: "utf8", env: environment() });
    expect(stderr).toBe("");
    expect(stdout.split("\n")[0]).toBe(`${dir}/agent/${OLD}/agent.cjs --leave`);
    for (const told of [`INSTALL_DIR=${dir}`, "INSTALL_FROM=http://server.test/install", `AGENT_BUILD=${OLD}`]) {
      expect(stdout).toContain(`HEADRACE_${told}\n`);
    }
  });

  it("starts one on trial three times, then goes back and says why", () => {
    put("trial", `${NEW} 12 0`);
    expect([start(), start(), start(), start(), start()]).toEqual([NEW, NEW, NEW, OLD, OLD]);
    expect(read("trial")).toBe(null);
    expect(read("failed")).toBe(`${NEW} 12 it ended 3 times before the server had accepted it; its log says why`);
    expect(read("build")).toBe(OLD);
  });

  it("does not count what is started by hand as a trial", () => {
    put("trial", `${NEW} 12 0`);
    expect(start("--leave")).toBe(OLD);
    expect(read("trial")).toBe(`${NEW} 12 0`);
  });

  it("goes back from one that is not on the disk", () => {
    put("trial", `${NEW} 12 0`);
    rmSync(join(dir, "agent", NEW), { recursive: true });
    expect(start()).toBe(OLD);
    expect(read("failed")).toBe(`${NEW} 12 it is not on this host's disk any more`);
  });

  it("takes one on trial that is the one to run for one that has shown itself", () => {
    put("trial", `${NEW} 12 2`);
    put("build", NEW);
    expect([start(), start(), start()]).toEqual([NEW, NEW, NEW]);
    expect(read("trial")).toBe(null);
    expect(read("failed")).toBe(null);
  });

  it("ends one that the server has not accepted in time, and goes back", async () => {
    // The program's name stands in the arguments of what becomes of the process, as that of a real agent does.
    begins(`exec /bin/sh -c 'while :; do sleep 1; done' "$1"`);
    put("trial", `${NEW} 12 0`);
    const child = spawn(join(dir, "run"), [], { stdio: "ignore", env: environment({ HEADRACE_TRIAL_S: "1" }) });
    const signal = await new Promise((ended) => child.once("exit", (_code, by) => ended(by)));
    expect(signal).toBe("SIGKILL");
    expect(read("failed")).toBe(`${NEW} 12 the server had not accepted it after 1 s`);
    begins('echo "$@"');
    expect(start()).toBe(OLD);
  });

  it.each([0, 1, 2])("killed at any point after %i starts, the next start is one of a whole build", (starts) => {
    for (const program of ["mv", "rm"]) {
      const real = spawnSync("sh", ["-c", `command -v ${program}`], { encoding: "utf8" }).stdout.trim();
      for (const moment of ["before", "after"]) {
        put("trial", `${NEW} 12 ${starts === 2 ? 3 : starts}`);
        rmSync(join(dir, "failed"), { force: true });
        const kill = "kill -KILL $PPID";
        const shim = moment === "before" ? `${kill}; exit 1` : `${real} "$@"; ${kill}`;
        writeFileSync(join(dir, "bin", program), `#!/bin/sh\n${shim}\n`, { mode: 0o755 });
        start();
        rmSync(join(dir, "bin", program));
        const begun = start();
        expect([OLD, NEW], `${program} ${moment}`).toContain(begun);
        for (let more = 0; more < 3; more += 1) start();
        expect(start(), `${program} ${moment}`).toBe(OLD);
        expect(read("failed"), `${program} ${moment}`).toMatch(new RegExp(`^${NEW} 12 it ended 3 times`));
      }
    }
  });
});
