import { createHash, randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Agent, request } from "undici";
import { type JoinRequest, joinAnswer } from "../../src/wire/index.ts";
import type { Answer, Order, Seen } from "./orders.ts";
import { inventoryOf, SimulatedAgent } from "./simulated-agent.ts";

/** Many simulated agents in a process of their own, which does what its parent says and answers when it is done. */

const JOINS_AT_ONCE = 16;
const LOOK_EVERY_MS = 50;

const agents: SimulatedAgent[] = [];
const seen: Seen = { syncMs: [], failed: 0, failure: null, refused: 0, posted: 0, linked: 0 };

process.on("message", async (order: Order) => {
  process.send?.({ at: [], seen: null, ...(await obey(order)) } satisfies Answer);
});
process.on("disconnect", () => process.exit(0));

async function obey(order: Order): Promise<Partial<Answer>> {
  switch (order.kind) {
    case "join":
      await joinAll(order);
      return {};
    case "adopt":
      for (const { host, credential, serial } of order.hosts) {
        const identity = { project: order.project, host, credential, machine: host };
        agents.push(new SimulatedAgent(order.server, identity, serial, seen));
      }
      return {};
    case "link":
      for (const agent of agents) agent.start();
      await untilEach((agent) => agent.isSynced || null);
      return {};
    case "spread":
      for (const agent of agents) setTimeout(() => agent.sync(), Math.random() * order.overMs);
      return {};
    case "seen": {
      const linked = agents.filter((agent) => agent.isLinked).length;
      const answer = { ...seen, linked, syncMs: seen.syncMs.splice(0) };
      Object.assign(seen, { failed: 0, failure: null, refused: 0, posted: 0 });
      return { seen: answer };
    }
    case "ready":
      await untilEach((agent) => agent.runs(order.jobs) || null);
      return {};
    case "told":
      return { at: await untilEach((agent) => agent.toldAt(order.service)) };
    case "cut":
      for (const agent of agents) agent.cut();
      return {};
    case "back":
      return { at: await untilEach((agent) => agent.backAt(order.since)) };
  }
}

async function joinAll({ server, tokens, firstName }: Extract<Order, { kind: "join" }>): Promise<void> {
  const dispatcher = new Agent({ connections: JOINS_AT_ONCE });
  let next = 0;
  const joinSome = async () => {
    for (let i = next++; i < tokens.length; i = next++) {
      agents.push(await join(server, tokens[i] as string, firstName + i, dispatcher));
    }
  };
  await Promise.all(Array.from({ length: JOINS_AT_ONCE }, joinSome));
  await dispatcher.destroy();
}

async function join(server: string, token: string, serial: number, dispatcher: Agent): Promise<SimulatedAgent> {
  const credential = `hrh_${randomBytes(32).toString("base64url")}`;
  const machine = randomBytes(16).toString("hex");
  const body: JoinRequest = {
    name: `host-${serial}`,
    machine,
    agentVersion: "0.1.0",
    inventory: inventoryOf(serial),
    credentialHash: createHash("sha256").update(credential).digest("hex"),
  };
  const { statusCode, body: answer } = await request(`${server}/agent/join`, {
    dispatcher,
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (statusCode !== 200) throw new Error(`a join was answered ${statusCode}: ${text}`);
  const { project, host } = joinAnswer.parse(JSON.parse(text));
  return new SimulatedAgent(server, { project, host, credential, machine }, serial, seen);
}

/** Waits until there is a value for each agent. The parent bounds how long. */
async function untilEach<T>(find: (agent: SimulatedAgent) => T | null): Promise<T[]> {
  const values: T[] = [];
  for (const agent of agents) {
    let value = find(agent);
    for (; value === null; value = find(agent)) await delay(LOOK_EVERY_MS);
    values.push(value);
  }
  return values;
}
