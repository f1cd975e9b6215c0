import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { isSilent } from "./hear-port.ts";
import { reachPort } from "./reach-port.ts";

/** The kernel takes two for a process that accepts nothing, and answers no more. */
const WAITING = 4;
const TIMEOUT_MS = 50;
/** As /proc has it. */
const SYN_SENT = "02";

let child: ChildProcess;
let port: number;
let waiting: Socket[];

/** A port that answers no attempt to connect, as that of a host behind a firewall that drops everything. */
beforeAll(async () => {
  const listen = 'const s = require("net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }';
  child = spawn(process.execPath, ["--eval", `${listen}, () => console.log(s.address().port))`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  port = Number(String((await once(child.stdout!, "data"))[0]));
  child.kill("SIGSTOP");
  waiting = Array.from({ length: WAITING }, () => connect(port, "127.0.0.1").on("error", () => {}));
  await Promise.all(waiting.slice(0, 2).map((socket) => once(socket, "connect")));
});

afterAll(() => {
  for (const socket of waiting) socket.destroy();
  child.kill("SIGKILL");
});

/** How many connections to the port the kernel is trying to open. */
function connecting(): number {
  const remote = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const lines = readFileSync("/proc/self/net/tcp", "latin1").split("\n");
  return lines.filter((line) => line.includes(` ${remote} ${SYN_SENT} `)).length;
}

it("gives up on a port that does not answer, and leaves no attempt behind", async () => {
  const before = connecting();
  expect(before).toBeGreaterThan(0);
  expect(await reachPort("127.0.0.1", port, TIMEOUT_MS)).toBe("timeout");
  expect(await isSilent("127.0.0.1", port, TIMEOUT_MS)).toBe(false);
  await expect.poll(connecting).toBe(before);
});
