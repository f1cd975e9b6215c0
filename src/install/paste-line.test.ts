import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { pasteLine, settingLines } from "./paste-line.ts";

const SETTINGS = {
  server: "https://headrace.example.com",
  from: "https://headrace.example.com/install",
  token: "hrj_secret",
  fleet: "h100",
};

test("the line reads as one that a person can check", () => {
  expect(pasteLine(SETTINGS)).toBe(
    "{ echo 'HEADRACE_SERVER=https://headrace.example.com HEADRACE_FROM=https://headrace.example.com/install " +
      "HEADRACE_FLEET=h100 HEADRACE_JOIN_TOKEN=hrj_secret'; " +
      "curl -fsSL https://headrace.example.com/install/install.sh; } | sudo sh",
  );
});

test("the script gets what it is told, whatever characters are in it, and no program's arguments hold the token", () => {
  const folder = mkdtempSync(join(tmpdir(), "headrace-paste-"));
  try {
    // In place of curl and sudo: each notes how it was called, and the script says what it was told.
    const note = `#!/bin/sh\nprintf '%s\\n' "$0 $*" >>${folder}/called\n`;
    const script = 'printf "%s|" "$HEADRACE_SERVER" "$HEADRACE_NAME" "$HEADRACE_JOIN_TOKEN"';
    writeFileSync(join(folder, "curl"), `${note}echo '${script}'\n`, { mode: 0o755 });
    writeFileSync(join(folder, "sudo"), `${note}exec "$@"\n`, { mode: 0o755 });
    const line = pasteLine({ ...SETTINGS, name: `it's "$HOME" \`x\`` });
    const { stdout } = spawnSync("/bin/sh", ["-s"], {
      input: line,
      encoding: "utf8",
      env: { PATH: `${folder}:${process.env.PATH}` },
    });
    expect(stdout).toBe(`https://headrace.example.com|it's "$HOME" \`x\`|hrj_secret|`);
    const called = readFileSync(join(folder, "called"), "utf8");
    expect(called).toContain("curl -fsSL");
    expect(called).toContain("sudo sh");
    expect(called).not.toContain("hrj_secret");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("what is left out is not said", () => {
  expect(settingLines({ ...SETTINGS, token: null, address: "10.0.0.5", network: "10.0.0.0/24" })).toEqual([
    "HEADRACE_SERVER=https://headrace.example.com",
    "HEADRACE_FROM=https://headrace.example.com/install",
    "HEADRACE_FLEET=h100",
    "HEADRACE_ADDRESS=10.0.0.5",
    "HEADRACE_NETWORK=10.0.0.0/24",
  ]);
});
