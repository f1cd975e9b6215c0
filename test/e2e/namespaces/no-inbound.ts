/**
 * One host that nothing can connect to: a network namespace whose firewall drops every packet that is no answer. Run
 * inside fresh network, mount and pid namespaces, so that all of it is gone when this process ends.
 *
 * Prints one line of JSON (`NoInboundResult`) as its last line.
 */
import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { delimiter, join } from "node:path";
import { ROOT } from "../../../scripts/bootstrap.js";
import { createClient } from "../../../src/api/client.ts";
import { type Answer, chat } from "../../support/chat.ts";
import { CONTROL_PLANES, type Runtime } from "../../support/control-planes.ts";
import { BRIDGE_ADDRESS, HostNetwork } from "../../support/host-network.ts";
import { type Listener, listenersIn } from "../../support/listeners.ts";
import { dropInbound, droppedPackets, type PacketFilter } from "../../support/packet-filter.ts";
import { CLI, type Running, startProcess, until } from "../../support/processes.ts";
import { outputOf, tell } from "./tell.ts";

export interface NoInboundResult {
  /** From the answer to an apply until the host has a job's folder. */
  wokenMs: number;
  answers: Answer[];
  /** A connection to the router's port from outside. */
  fromOutside: "connected" | "nothing";
  /** What listens on the host while its agent is linked and its jobs serve. */
  listeners: Listener[];
  /** Packets that the firewall dropped for it. */
  dropped: number;
}

const HOST = "closed";
const SERVICE = "prefill-decode";
const EXAMPLE = join(ROOT, "examples/prefill-decode.yml");
const INTO_HOST = ["ip", "netns", "exec", HOST];
/** A connection that the firewall lets through is there in a millisecond. */
const CONNECT_WITHIN_MS = 2_000;

const [runtime, filter, folder, pythonBin] = process.argv.slice(2) as [Runtime, PacketFilter, string, string];
const running: Running[] = [];

async function main(): Promise<NoInboundResult> {
  const network = HostNetwork.make([HOST]);
  dropInbound(filter, INTO_HOST);
  const base = { PATH: process.env.PATH, HOME: folder, XDG_CONFIG_HOME: join(folder, "config") };
  const plane = await CONTROL_PLANES[runtime]({ folder, env: base, host: BRIDGE_ADDRESS });
  running.push(await plane.start());
  const token = await plane.token();
  const client = createClient({ server: plane.url, token, project: "main" });
  const agent = startAgent(plane.url, (await client.createToken({ kind: "join", name: HOST })).token, base);
  await until(async () => (await client.hosts()).some(({ online }) => online), output);

  const config = await readFile(EXAMPLE, "utf8");
  await client.apply({ config, file: EXAMPLE, env: {} });
  const applied = performance.now();
  const jobs = join(folder, "agent", "jobs");
  await until(() => existsSync(jobs) && readdirSync(jobs).length > 0, output);
  const wokenMs = performance.now() - applied;

  await until(async () => (await client.service(SERVICE)).ready, output, 90_000);
  const service = `${plane.url}/proxy/services/main/${SERVICE}`;
  const ask = () => chat(service, token, { model: "Qwen/Qwen3-8B", stream: true, max_tokens: 32, ignore_eos: true });
  const answers = await Promise.all([ask(), ask(), ask()]);

  const { replicas } = await client.service(SERVICE);
  const router = replicas.find(({ group }) => group === "router");
  const before = droppedPackets(filter, INTO_HOST);
  const listeners = listenersIn(agent.pid);
  const fromOutside = await tryToConnect(network.addressOf(HOST), Number(router?.port));
  return { wokenMs, answers, fromOutside, listeners, dropped: droppedPackets(filter, INTO_HOST) - before };
}

function startAgent(url: string, joinToken: string, base: NodeJS.ProcessEnv): Running {
  const flags = ["--server", url, "--name", HOST, "--data-dir", join(folder, "agent"), "--job-user", "same"];
  const env = { ...base, PATH: pythonBin + delimiter + process.env.PATH, HEADRACE_JOIN_TOKEN: joinToken };
  const agent = startProcess([...INTO_HOST, process.execPath, CLI, "agent", ...flags], env);
  running.push(agent);
  return agent;
}

function tryToConnect(host: string, port: number): Promise<NoInboundResult["fromOutside"]> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_WITHIN_MS });
    const end = (result: NoInboundResult["fromOutside"]) => {
      socket.destroy();
      resolve(result);
    };
    socket.once("connect", () => end("connected"));
    socket.once("timeout", () => end("nothing"));
    socket.once("error", () => end("nothing"));
  });
}

function output(): string {
  return outputOf(running);
}

// What runs here ends with the namespace of processes.
await tell(main, running, () => process.exit());
