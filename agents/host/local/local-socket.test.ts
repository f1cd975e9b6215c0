import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { askAgent } from "./ask-agent.ts";
import { localSocketPath, openLocalSocket } from "./local-socket.ts";
import { agentView } from "./testing/agent-view.ts";

let dataDir: string;
let said: string[] = [];
let close: () => Promise<void> = async () => undefined;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "hr-local-"));
  said = [];
});
afterEach(async () => {
  await close();
  rmSync(dataDir, { recursive: true, force: true });
});

async function open(folder = dataDir) {
  close = await openLocalSocket(
    folder,
    async () => agentView(),
    (_level, message) => said.push(message),
  );
}

function ask(path: string, method = "GET"): Promise<{ status: number; type: string; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: localSocketPath(dataDir), path, method, agent: false }, async (answer) => {
      let text = "";
      for await (const chunk of answer) text += chunk;
      resolve({ status: answer.statusCode ?? 0, type: answer.headers["content-type"] ?? "", text });
    });
    sent.on("error", reject);
    sent.end();
  });
}

const modeOf = (path: string) => statSync(path).mode & 0o777;

test("is open to the agent's own user alone, and gone with the agent", async () => {
  mkdirSync(join(dataDir, "local"));
  chmodSync(join(dataDir, "local"), 0o777);
  await open();
  expect(modeOf(join(dataDir, "local"))).toBe(0o700);
  expect(modeOf(localSocketPath(dataDir))).toBe(0o600);
  await close();
  expect(existsSync(localSocketPath(dataDir))).toBe(false);
  close = async () => undefined;
});

test("takes the place of one that a killed agent left", async () => {
  mkdirSync(join(dataDir, "local"));
  writeFileSync(localSocketPath(dataDir), "");
  await open();
  expect(await ask("/healthz")).toMatchObject({ status: 200, text: "ok\n" });
});

test("answers at its paths, and at no other and to nothing else", async () => {
  await open();
  expect(await ask("/metrics")).toMatchObject({ status: 200, type: "text/plain; version=0.0.4; charset=utf-8" });
  expect(JSON.parse((await ask("/debug/state")).text)).toEqual(JSON.parse(JSON.stringify(agentView())));
  expect((await ask("/status")).text).toMatch(/^agent 0\.1\.0 with Node/);
  expect(await ask("/metrics", "HEAD")).toMatchObject({ status: 200, text: "" });
  expect((await ask("/")).status).toBe(404);
  expect((await ask("/healthz", "POST")).status).toBe(405);
});

test("what keeps it from being made is said, and nothing more", async () => {
  // Longer than the system allows the path of a socket to be.
  await open(join(dataDir, "x".repeat(120)));
  expect(said).toEqual(["there is no local socket: metrics and `headrace agent status` are not to be had"]);
});

test("who asks where no agent is, is told so", async () => {
  await expect(askAgent(dataDir, "/status")).rejects.toThrow(/^No agent answers at .*agent\.sock\. Is one running/);
});
