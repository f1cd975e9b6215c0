import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Runtime } from "../types.ts";
import { agentName, labelsOf } from "./container-names.ts";
import { openDockerRuntime } from "./docker-runtime.ts";

/** An engine with one container, that tells of changes when the test has it do so. */
let dir: string;
let server: Server;
let runtime: Runtime;
let events: ServerResponse | null;
let inspected: number;
let state: { Status: string; StartedAt: string };

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "headrace-looks-"));
  events = null;
  inspected = 0;
  state = { Status: "running", StartedAt: "2026-01-01T00:00:00.000000000Z" };
  const labels = labelsOf(agentName(dir), { job: "a.0", replica: "a", attempt: 1, image: "i" });
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "", "http://engine");
    const answer = (value: object) => response.end(JSON.stringify(value));
    if (pathname.endsWith("/version")) return answer({ Version: "28.2.2", ApiVersion: "1.50" });
    if (pathname.endsWith("/info")) return answer({ DockerRootDir: "/docker" });
    if (pathname.endsWith("/containers/json")) return answer([{ Id: "c1", Labels: labels, State: state.Status }]);
    if (pathname.endsWith("/events")) {
      events = response;
      return response.flushHeaders();
    }
    inspected += 1;
    const State = { ...state, OOMKilled: false, ExitCode: 0, Pid: 1, Error: "" };
    answer({ Id: "c1", Image: "sha256:1", State, Config: {} });
  });
  const socket = join(dir, "docker.sock");
  server.listen(socket);
  await once(server, "listening");
  const body = () => Promise.reject(new Error("nothing is started"));
  runtime = await openDockerRuntime({ socket, expected: true, dataDir: dir, body });
});

afterEach(async () => {
  await runtime.close();
  server.closeAllConnections();
  server.close();
  rmSync(dir, { recursive: true, force: true });
});

test("a container that runs on is looked into once, until the engine tells of a change", async () => {
  const [first] = await runtime.list();
  for (let looks = 0; looks < 5; looks += 1) expect((await runtime.list())[0]?.incarnation).toBe(first?.incarnation);
  expect(inspected).toBe(1);
  // Somebody starts it again between two looks.
  state = { Status: "running", StartedAt: "2026-01-01T00:01:00.000000000Z" };
  const told = new Promise<void>((resolve) => runtime.onChange(resolve));
  events?.write('{"Action":"start"}\n');
  await told;
  expect((await runtime.list())[0]?.incarnation).not.toBe(first?.incarnation);
  expect(inspected).toBe(2);
});

test("one that the engine lists as anything but running is looked into each time", async () => {
  await runtime.list();
  state = { ...state, Status: "paused" };
  for (let looks = 0; looks < 2; looks += 1) expect((await runtime.list())[0]?.state).toBe("running");
  expect(inspected).toBe(3);
});
