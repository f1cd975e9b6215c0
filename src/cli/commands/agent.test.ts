import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openLocalSocket } from "../../../agents/host/local/local-socket.ts";
import { agentView } from "../../../agents/host/local/testing/agent-view.ts";
import { AGENT_NODE_FLAGS } from "../../install/agent-process.ts";
import { Cli } from "../testing/run.ts";

test("the agent becomes a process of its own, with the flags that were given", async () => {
  await using cli = await Cli.create();
  const host = ["--name", "gpu-1", "--data-dir", "/srv/agent", "--declare", "gpu=H200:8"];
  const given = [...host, "--docker-socket", "/run/docker.sock", "--stop-jobs-on-exit"];
  await cli.run("agent", "--server", "https://headrace.example.com", ...given);
  const flags = cli.became.slice(0, AGENT_NODE_FLAGS.length);
  const [script, ...args] = cli.became.slice(AGENT_NODE_FLAGS.length);
  expect(flags).toEqual(AGENT_NODE_FLAGS);
  expect(script).toMatch(/\/agents\/host\/main\.ts$/);
  expect(cli.becameWith).toEqual({ MALLOC_ARENA_MAX: "1", NODE_COMPILE_CACHE: "/srv/agent/compile-cache" });
  expect(args).toEqual([
    "--server=https://headrace.example.com",
    "--name=gpu-1",
    "--data-dir=/srv/agent",
    "--declare=gpu=H200:8",
    "--docker-socket=/run/docker.sock",
    "--log-level=info",
    "--stop-jobs-on-exit",
  ]);
});

test("the agent goes to the server that other commands mean", async () => {
  await using cli = await Cli.create();
  await cli.run("agent");
  expect(cli.became).toContain(`--server=${cli.env.HEADRACE_SERVER}`);
  cli.became = [];
  delete cli.env.HEADRACE_SERVER;
  expect((await cli.run("agent")).code).toBe(2);
  expect(cli.became).toEqual([]);
});

test("the status of an agent is what it says itself, in words or as JSON; that none answers is said", async () => {
  await using cli = await Cli.create();
  const folder = mkdtempSync(join(tmpdir(), "hr-status-"));
  const asked = (...flags: string[]) => cli.run("agent", "status", "--data-dir", folder, ...flags);
  try {
    const none = await asked();
    expect(none.code).toBe(1);
    expect(none.err).toMatch(/^error: No agent answers at .*agent\.sock\. Is one running/);
    const close = await openLocalSocket(
      folder,
      async () => agentView(),
      () => undefined,
    );
    try {
      expect(await asked()).toMatchObject({ code: 0, out: expect.stringMatching(/^agent 0\.1\.0 with Node/) });
      expect(JSON.parse((await asked("--json")).out)).toMatchObject({ host: "gpu-7-0123abcd" });
    } finally {
      await close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
