import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../../support/processes.ts";
import { type Host, JoiningStage, seenInArguments } from "./stage.ts";

// The line of `headrace host join`, pasted: into folders that stand for hosts, with the real server, script and agent.

let stage: JoiningStage;
beforeAll(async () => {
  stage = await JoiningStage.start();
});
afterAll(() => stage?.dispose());

async function lineFor(...flags: string[]): Promise<{ line: string; token: string; expiresAt: number }> {
  const made = await stage.headrace("host", "join", "--json", ...flags);
  expect(made.code, made.output).toBe(0);
  return JSON.parse(made.stdout);
}

const isOnline = async (name: string) =>
  (await stage.client().hosts()).some((host) => host.name === name && host.online);

async function expectRefused(host: Host, line: string, reason: RegExp): Promise<void> {
  const { code, output } = await host.paste(line);
  expect(output).toMatch(reason);
  expect(output).toContain("Nothing was installed.");
  expect(output).not.toContain("Fetching");
  expect(code).toBe(1);
  expect(host.entries()).toEqual([]);
  expect(host.processes()).toEqual([]);
}

test("a pasted line installs, can be pasted again beside running jobs, and what it made can be taken off again", async () => {
  const host = stage.host("gpu-1");
  const { line, token } = await lineFor("--name", "gpu-1");
  const pasting = host.paste(line);
  const seen = await seenInArguments(token, pasting);
  const pasted = await pasting;
  expect(pasted.code, pasted.output).toBe(0);
  expect(seen).toEqual([]);
  expect(pasted.output).toMatch(/^This host is gpu-1-[0-9a-f]{8}, in the fleet default\./m);
  await until(
    () => isOnline("gpu-1"),
    () => pasted.output,
  );

  const file = stage.write(
    "service.yml",
    // Named in the command, the port may be any that is free.
    "type: service\nname: sleeper\nport: 8000\ncommands: [exec sleep $HEADRACE_PORT]\nresources: {cpu: 1.., memory: 1MB.., disk: 1MB..}\n",
  );
  const applied = await stage.headrace("apply", "-f", file, "-y", "-d");
  expect(applied.code, applied.output).toBe(0);
  const sleeper = () =>
    host.processes().find((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith("sleep\0"));
  await until(
    () => sleeper() !== undefined,
    () => readFileSync(join(host.root, "data/agent.log"), "utf8"),
  );
  const before = sleeper();

  const again = await host.paste(line);
  expect(again.code, again.output).toBe(0);
  expect(again.output).not.toContain("Fetching");
  await until(
    () => isOnline("gpu-1"),
    () => again.output,
  );
  expect(sleeper()).toBe(before);
  expect(await stage.client().hosts()).toHaveLength(1);

  const status = await host.status();
  expect(status.code, status.output).toBe(0);
  expect(status.stdout).toMatch(
    /^linked for .*\nit holds commit \d+ with 1 job\n {2}job .*\n {2}sleeper-\S+ +starting .*nothing listens/m,
  );

  const left = await host.leave();
  expect(left.code, left.output).toBe(0);
  expect(left.output).toMatch(
    /^The server \S+ has forgotten this host, which was gpu-1-\w+\.\nThe agent is off this host/,
  );
  expect(host.entries()).toEqual([]);
  expect(host.processes()).toEqual([]);
  expect(await stage.client().hosts()).toEqual([]);
});

test("a token that was used, has expired or is for another fleet is refused, and nothing is installed", async () => {
  const used = await lineFor("--name", "gpu-2");
  const other = used.line.replace("HEADRACE_FLEET=default", "HEADRACE_FLEET=h100");
  await expectRefused(stage.host("elsewhere"), other, /is for the fleet default, and the host means to join h100/);

  // It was not used up by that.
  const first = stage.host("gpu-2");
  const pasted = await first.paste(used.line);
  expect(pasted.code, pasted.output).toBe(0);
  await expectRefused(stage.host("gpu-3"), used.line, /was used before or has expired; make another/);

  // The one that has joined is not moved by a line for another fleet, and goes on.
  const moved = await first.paste(other);
  expect(moved.code).toBe(1);
  expect(moved.output).toContain("This host is in the fleet default and not in h100.");
  await until(
    () => isOnline("gpu-2"),
    () => moved.output,
  );

  const short = await lineFor("--expires", "1s");
  await until(
    () => Date.now() > short.expiresAt,
    () => "the clock stands still",
  );
  await expectRefused(stage.host("late"), short.line, /unknown, has expired or was revoked/);
  expect((await first.leave()).code).toBe(0);
});
