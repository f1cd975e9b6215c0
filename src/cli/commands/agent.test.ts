import { expect, test } from "vitest";
import { Cli } from "../testing/run.ts";

test("the agent becomes a process of its own, with the flags that were given", async () => {
  await using cli = await Cli.create();
  const host = ["--name", "gpu-1", "--data-dir", "/srv/agent", "--declare", "gpu=H200:8"];
  const given = [...host, "--docker-socket", "/run/docker.sock", "--stop-jobs-on-exit"];
  await cli.run("agent", "--server", "https://headrace.example.com", ...given);
  const [flag, script, ...args] = cli.became;
  expect(flag).toMatch(/^--max-semi-space-size=/);
  expect(script).toMatch(/\/agents\/host\/main\.ts$/);
  expect(cli.becameWith).toEqual({ NODE_COMPILE_CACHE: "/srv/agent/compile-cache" });
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
