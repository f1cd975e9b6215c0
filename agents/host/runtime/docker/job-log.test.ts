import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { logLine } from "../../../../src/wire/index.ts";
import type { Attempt } from "./container-names.ts";
import { Engine } from "./engine.ts";
import { readJobLog } from "./job-log.ts";

// An engine that never ends the log of a container that ended just when it was asked: what real ones do once in a while.

const ATTEMPT: Attempt = { id: "c1", state: "exited", job: "a", replica: "r", attempt: 1, image: "i" };
const ENDED = {
  Id: "c1",
  Image: "sha256:1",
  State: {
    Status: "exited",
    OOMKilled: false,
    ExitCode: 0,
    Pid: 0,
    Error: "",
    StartedAt: "2026-01-01T00:00:00.000000000Z",
    FinishedAt: "2026-01-01T00:00:01.000000000Z",
  },
  Config: { Labels: {} },
};

let dir: string;
let server: Server;
/** Resolves once somebody follows. */
let isFollowed: Promise<void>;
beforeEach(async () => {
  // The engine's answers come in real time; only what looks after them is hurried.
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  dir = mkdtempSync(join(tmpdir(), "headrace-log-"));
  const followed = Promise.withResolvers<void>();
  isFollowed = followed.promise;
  server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://engine");
    if (pathname.endsWith("/version")) {
      return void response.end(JSON.stringify({ Version: "28.2.2", ApiVersion: "1.50", MinAPIVersion: "1.24" }));
    }
    if (pathname.endsWith("/containers/c1/json")) return void response.end(JSON.stringify(ENDED));
    response.write(frame("2026-01-01T00:00:00.100000000Z one\n"));
    if (searchParams.get("follow") === "1") return followed.resolve();
    response.end(frame("2026-01-01T00:00:00.200000000Z two\n"));
  });
  server.listen(join(dir, "docker.sock"));
  await once(server, "listening");
});
afterEach(() => {
  vi.useRealTimers();
  server.closeAllConnections();
  server.close();
  rmSync(dir, { recursive: true, force: true });
});

function frame(text: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = 1;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

test("who follows a container that ended when the engine was asked gets the rest, each line once, and goes on", async () => {
  let isRemoved = false;
  const source = {
    engine: new Engine(join(dir, "docker.sock")),
    attempts: async () => (isRemoved ? [] : [ATTEMPT]),
  };
  const lines: string[] = [];
  const reading = (async () => {
    for await (const line of readJobLog(source, { tailLines: 10, follow: true }, new AbortController().signal)) {
      lines.push(logLine.parse(JSON.parse(line)).text);
    }
  })();
  await isFollowed;
  isRemoved = true;
  await vi.advanceTimersByTimeAsync(5_000);
  await reading;
  expect(lines).toEqual(["one", "two"]);
});
