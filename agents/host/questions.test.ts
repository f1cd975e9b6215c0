import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { JobAsker } from "./ask.ts";
import { desiredJob, probe } from "./decide/testing.ts";
import { JobAddresses } from "./job-address.ts";
import { answerQuestion, type OwnHost, type Question } from "./questions.ts";

const HOST: OwnHost = { openRequests: () => 0, holderOf: async () => ({ kind: "job" }) };

/** By method and path: the authorization that a request came with. */
let heard: Map<string, string | undefined>;
let server: Server;
let asker: JobAsker;

beforeAll(async () => {
  server = createServer((request, response) => {
    heard.set(`${request.method} ${request.url}`, request.headers.authorization);
    response.end("{}");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  asker = new JobAsker(new JobAddresses("127.0.0.1"));
});
beforeEach(() => {
  heard = new Map();
});
afterAll(() => {
  asker.close();
  server.close();
});

async function ask(env: Record<string, string>): Promise<void> {
  const port = (server.address() as AddressInfo).port;
  const launch = { ...desiredJob().launch, env };
  const job = desiredJob({ role: "router", engine: null, router: "smg", port, launch, probes: [probe()] });
  const name = { job: job.job, incarnation: "1" };
  const worker = { replica: "w", url: "http://127.0.0.1:1", role: "worker" as const, bootstrapPort: null, labels: {} };
  const questions: Question[] = [
    { kind: "list", ...name },
    { kind: "add", ...name, worker },
    { kind: "delete", ...name, handle: "w1" },
    { kind: "ask", ...name, check: "readiness" },
    { kind: "ask", ...name, check: "probe:0" },
  ];
  for (const question of questions) await answerQuestion(question, job, asker, HOST);
}

it("shows a router its key wherever its workers are read or changed, and nowhere else", async () => {
  await ask({ HEADRACE_ROUTER_KEY: "k" });
  expect(Object.fromEntries(heard)).toEqual({
    "GET /workers": "Bearer k",
    "POST /workers": "Bearer k",
    "DELETE /workers/w1": "Bearer k",
    "GET /readiness": undefined,
    "GET /health": undefined,
  });
});

it("shows none to a router that has none", async () => {
  await ask({});
  expect(heard.size).toBe(5);
  expect(new Set(heard.values())).toEqual(new Set([undefined]));
});

it("reaches no worker at an address that is none, and takes none for silent there", async () => {
  for (const url of ["http://[fe80::1%eth0]:8000", "http://999.1.1.1:8000", "worker", ""]) {
    const answers = await Promise.all(
      (["reach", "hear"] as const).map((kind) => answerQuestion({ kind, url }, null, asker, HOST)),
    );
    expect(answers).toEqual([
      { kind: "reached", url, ok: false },
      { kind: "heard", url, ok: true },
    ]);
  }
});
