/**
 * Three hosts, one of which drops what its peers send to it. Run inside fresh network, mount and pid namespaces, so that
 * all of it is gone when this process ends.
 *
 * Prints one line of JSON (`PeersResult`) as its last line.
 */
import { writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { createClient } from "../../../src/api/client.ts";
import { type Answer, chat } from "../../support/chat.ts";
import { CONTROL_PLANES, type Runtime } from "../../support/control-planes.ts";
import { BRIDGE_ADDRESS, HostNetwork } from "../../support/host-network.ts";
import { allowInbound, dropInbound, type PacketFilter } from "../../support/packet-filter.ts";
import { CLI, type Running, runProcess, startProcess, until } from "../../support/processes.ts";
import { outputOf, tell } from "./tell.ts";

export interface PeersResult {
  /** From when all hosts were connected until it was known. */
  seenMs: number;
  /** `host show` of the closed one, and `host list`. */
  shown: { closed: string; list: string };
  /** `plan` of the service, and `ps` of it while it waits. */
  plan: string;
  ps: string;
  /** Group and host of each replica that has a place while the firewall is there, and after. */
  placed: string[];
  placedAfter: string[];
  /** From when the firewall went until the service was ready. */
  healedMs: number;
  answer: Answer;
  /** How many ways are known to be closed after that, by host. */
  unreachedAfter: number[];
}

/** The closed one comes first by name, so that it would be taken first. */
const HOSTS = ["closed", "gpu-1", "plain"];
const GPUS: Record<string, string[]> = { closed: ["--declare=gpu=H200:1"], "gpu-1": ["--declare=gpu=H200:1"] };
const SERVICE = "pair";
const ROUTER =
  "smg launch --pd-disaggregation --host $HEADRACE_ADDRESS --port $HEADRACE_PORT " +
  "--prometheus-host $HEADRACE_ADDRESS --prometheus-port $HEADRACE_METRICS_PORT " +
  "--control-plane-api-keys headrace:headrace:admin:$HEADRACE_ROUTER_KEY";
const ENGINE = "python3 -m sglang.launch_server --model-path m --host $HEADRACE_ADDRESS --port $HEADRACE_PORT";
const SMALL = "{cpu: 1.., memory: 100MB.., disk: 100MB..}";
const CONFIG = `type: service
name: ${SERVICE}
model: m
port: 8000
groups:
  - name: router
    count: 1
    router: {type: sglang}
    commands: ["${ROUTER}"]
    resources: ${SMALL}
  - name: prefill
    count: 1
    commands: ["${ENGINE} --disaggregation-mode prefill --disaggregation-bootstrap-port $HEADRACE_BOOTSTRAP_PORT"]
    resources: {cpu: 1.., memory: 100MB.., disk: 100MB.., gpu: "H200:1"}
  - name: decode
    count: 1
    commands: ["${ENGINE} --disaggregation-mode decode"]
    resources: {cpu: 1.., memory: 100MB.., disk: 100MB.., gpu: "H200:1"}
`;

const [runtime, filter, folder, pythonBin] = process.argv.slice(2) as [Runtime, PacketFilter, string, string];
const running: Running[] = [];
const into = (host: string) => ["ip", "netns", "exec", host];

async function main(): Promise<PeersResult> {
  HostNetwork.make(HOSTS);
  dropInbound(filter, into("closed"));
  const env = { PATH: process.env.PATH, HOME: folder, XDG_CONFIG_HOME: join(folder, "config") };
  const plane = await CONTROL_PLANES[runtime]({ folder, env, host: BRIDGE_ADDRESS });
  running.push(await plane.start());
  const token = await plane.token();
  const client = createClient({ server: plane.url, token, project: "main" });
  for (const name of HOSTS) {
    const { token: joinToken } = await client.createToken({ kind: "join", name });
    const flags = ["--server", plane.url, "--name", name, "--data-dir", join(folder, name), "--job-user", "same"];
    const path = pythonBin + delimiter + process.env.PATH;
    const command = [...into(name), process.execPath, CLI, "agent", ...flags, ...(GPUS[name] ?? [])];
    running.push(startProcess(command, { ...env, PATH: path, HEADRACE_JOIN_TOKEN: joinToken }));
  }
  const unreached = async () => (await client.hosts()).map((host) => host.unreached.length);
  await until(async () => (await client.hosts()).filter(({ online }) => online).length === HOSTS.length, output);
  const online = performance.now();
  await until(async () => `${await unreached()}` === "2,1,1", output, 60_000);
  const seenMs = performance.now() - online;

  const config = join(folder, "pair.yml");
  writeFileSync(config, CONFIG);
  const headrace = async (...args: string[]) => {
    const login = { ...env, HEADRACE_SERVER: plane.url, HEADRACE_TOKEN: token };
    return (await runProcess([process.execPath, CLI, ...args], login)).output;
  };
  const shown = {
    closed: await headrace("host", "show", "closed"),
    list: await headrace("host", "list"),
  };
  const plan = await headrace("plan", "-f", config);
  await client.apply({ config: CONFIG, file: "pair.yml", env: {} });
  const places = async () => {
    const { replicas } = await client.service(SERVICE);
    return replicas.flatMap(({ group, host }) => (host === null ? [] : [`${group} on ${host}`])).sort();
  };
  await until(async () => (await places()).length === 2, output);
  const ps = await headrace("ps", SERVICE);
  const placed = await places();

  allowInbound(filter, into("closed"));
  const opened = performance.now();
  await until(async () => (await client.service(SERVICE)).ready, output, 90_000);
  const healedMs = performance.now() - opened;
  await until(async () => (await unreached()).every((ways) => ways === 0), output);
  const answer = await chat(`${plane.url}/proxy/services/main/${SERVICE}`, token, { model: "m", max_tokens: 8 });
  return {
    ...{ seenMs, shown, plan, ps, placed, placedAfter: await places(), healedMs, answer },
    unreachedAfter: await unreached(),
  };
}

function output(): string {
  return outputOf(running);
}

// What runs here ends with the namespace of processes.
await tell(main, running, () => process.exit());
