import { afterEach, beforeEach, expect, test } from "vitest";
import type { Seen } from "../../bench/agents/orders.ts";
import { MeasuredServer } from "../../bench/agents/server.ts";
import { serviceEverywhere } from "../../bench/agents/services.ts";
import { SimulatedAgent } from "../../bench/agents/simulated-agent.ts";
import { sharedNowMs } from "../../bench/proxy/traffic.ts";
import { until } from "../support/processes.ts";
import { throttle } from "../support/throttle.ts";

const HOSTS = 200;
/** Of the time: what is left of a small machine that is given many other things to do. */
const SHARE = 0.1;
const STORMY = "stormy";
const CALM = "calm";
const SERVICE = "still";

/** It takes some 10 s where little else runs, and several times as long beside other tests. */
const BACK_MS_MAX = 240_000;
/** How long a caller waits for an answer, which takes tenths of a second. */
const ANSWER_MS_MAX = 60_000;

let server: MeasuredServer;
let unthrottle: () => Promise<void>;
/** By project. */
let agents: Record<typeof STORMY | typeof CALM, SimulatedAgent[]>;
const seen: Seen = { syncMs: [], failed: 0, failure: null, refused: 0, posted: 0, linked: 0 };

beforeEach(async () => {
  server = await MeasuredServer.start({ [STORMY]: HOSTS, [CALM]: 1 }, true);
  agents = { [STORMY]: agentsOf(STORMY), [CALM]: agentsOf(CALM) };
  for (const [project, its] of Object.entries(agents)) {
    for (const agent of its) agent.start();
    await untilAll(its, (agent) => agent.isLinked, "linked");
    await server.client(project).apply({ config: serviceEverywhere(SERVICE, its.length) });
    await untilAll(its, (agent) => agent.runs(1), "running its job");
  }
  unthrottle = await throttle(server.pid, SHARE);
});
afterEach(async () => {
  for (const agent of Object.values(agents).flat()) agent.stop();
  await unthrottle();
  await server.dispose();
});

function agentsOf(project: string): SimulatedAgent[] {
  return (server.hosts.get(project) ?? []).map(({ host, credential, serial }) => {
    const identity = { project, host, credential, machine: host };
    return new SimulatedAgent(server.url, identity, serial, seen);
  });
}

async function untilAll(its: SimulatedAgent[], is: (agent: SimulatedAgent) => boolean, what: string): Promise<void> {
  const describe = () =>
    `${its.filter((agent) => !is(agent)).length} of ${its.length} are not ${what}; the server said last: ${server.output}`;
  await until(() => its.every(is), describe, BACK_MS_MAX);
}

/**
 * Waits until every host has synced over a link that was opened since, and asks meanwhile for the other project's
 * service, one request after another.
 * @returns how each request was answered
 */
async function comeBack(since: number): Promise<number[]> {
  const back = untilAll(agents[STORMY], (agent) => agent.backAt(since) !== null, "back");
  const stop = new AbortController();
  const answers = asking(stop.signal);
  await back.finally(() => stop.abort());
  return answers;
}

async function asking(stop: AbortSignal): Promise<number[]> {
  const statuses: number[] = [];
  const authorization = `Bearer ${server.adminToken(CALM)}`;
  const chat = `/proxy/services/${CALM}/${SERVICE}/v1/chat/completions`;
  while (!stop.aborted) {
    for (const [path, body] of [
      [`/api/projects/${CALM}/services`, null],
      [chat, "{}"],
    ] as const) {
      const headers = { authorization, "content-type": "application/json" };
      const method = body === null ? "GET" : "POST";
      const signal = AbortSignal.timeout(ANSWER_MS_MAX);
      const answer = await fetch(server.url + path, { method, headers, body, signal });
      await answer.arrayBuffer();
      statuses.push(answer.status);
    }
  }
  return statuses;
}

/** What runs where, as the server has it and as the hosts were told. */
async function placed() {
  const { replicas } = await server.client(STORMY).service(SERVICE);
  return {
    replicas: replicas.map(({ id, host, status }) => `${id} on ${host} is ${status}`).sort(),
    jobs: agents[STORMY].map(({ jobs }) => jobs),
  };
}

async function upsets(version: number): Promise<string[]> {
  const { commits } = await server.client(STORMY).journal({ after: version, limit: 500 });
  const types = commits.flatMap(({ events }) => events.map(({ type }) => type));
  return types.filter((type) => type.startsWith("replica.") || type.startsWith("service."));
}

test("hosts all come back to a server that has a tenth of the time, nothing of them is touched, and others are answered", async () => {
  const before = await placed();
  expect(before.replicas).toHaveLength(HOSTS);
  expect(new Set(before.jobs.flat()).size).toBe(HOSTS);
  const version = await server.version(STORMY);

  const used = server.cpuSeconds;
  const cutAt = sharedNowMs();
  for (const agent of agents[STORMY]) agent.cut();
  const whileCut = await comeBack(cutAt);
  const share = (server.cpuSeconds - used) / ((sharedNowMs() - cutAt) / 1_000);
  // It was as slow as is said here, or this shows nothing.
  expect(share).toBeLessThan(2 * SHARE);
  expect(new Set(whileCut)).toEqual(new Set([200]));
  expect(await placed()).toEqual(before);
  expect(await upsets(version)).toEqual([]);

  const killedAt = sharedNowMs();
  await unthrottle();
  await server.stop("SIGKILL");
  await server.run(async (pid) => {
    unthrottle = await throttle(pid, SHARE);
  });
  await untilAll(agents[CALM], (agent) => agent.backAt(killedAt) !== null, "back");
  const whileStarted = await comeBack(killedAt);
  expect(new Set(whileStarted)).toEqual(new Set(whileStarted.length === 0 ? [] : [200]));
  expect(await placed()).toEqual(before);
  expect(await upsets(version)).toEqual([]);
});
