/**
 * A cluster of hosts on one machine: run inside fresh network, mount and pid namespaces, so that all of it is gone when
 * this process ends. Each host is a network namespace of its own on one bridge, and nothing else leads to it.
 *
 * Prints one line of JSON (`ClusterResult`) as its last line.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { ROOT } from "../../../scripts/bootstrap.js";
import { type Answer, chat } from "../../support/chat.ts";
import { BRIDGE_ADDRESS, HostNetwork } from "../../support/host-network.ts";
import { CLI, type Running, runProcess, startProcess, until } from "../../support/processes.ts";
import { tell } from "./tell.ts";

export interface ClusterResult {
  apply: { code: number | null; output: string };
  wrongToken: number;
  answer: Answer;
  stream: Answer;
  /** One line of each request that a worker served, by replica. */
  records: Record<string, { role: string; room: string | null; outcome: string }[]>;
  /** What every host has to itself. */
  hosts: { name: string; address: string; jobs: number }[];
  stop: { code: number | null; output: string };
  leftOver: string[];
}

const HOSTS = ["host1", "host2", "host3"];
const DECLARED = {
  cpus: 128,
  memoryGib: 1_024,
  diskGib: 4_000,
  accelerators: [{ vendor: "nvidia", name: "H200", memoryGib: 141, count: 8 }],
};

const [folder, pythonBin] = process.argv.slice(2) as [string, string];
const running: Running[] = [];

/** A `python` that records what its engine serves, so that the service's file needs no change. */
function makeBin(records: string): string {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  mkdirSync(records);
  for (const name of ["python", "python3"]) {
    const script = `#!/bin/sh\nENGINE_SIM_ARGS="--sim-speed 10 --sim-record ${records}/$HEADRACE_REPLICA.jsonl" exec ${pythonBin}/${name} "$@"\n`;
    writeFileSync(join(bin, name), script, { mode: 0o755 });
  }
  return bin;
}

async function main(): Promise<ClusterResult> {
  HostNetwork.make(HOSTS);
  const records = join(folder, "records");
  const bin = makeBin(records);
  const base = { PATH: process.env.PATH, HOME: folder, XDG_CONFIG_HOME: join(folder, "config") };
  const node = process.execPath;

  const server = startProcess(
    [node, CLI, "server", "--host", BRIDGE_ADDRESS, "--port", "3000", "--data-dir", join(folder, "server")],
    { ...base },
  );
  running.push(server);
  const url = `http://${BRIDGE_ADDRESS}:3000`;
  await until(() => server.output().includes("serves at"), server.output);

  const headrace = (args: string[], env: NodeJS.ProcessEnv = {}) =>
    runProcess([node, CLI, ...args], { ...base, ...env });
  const declared = join(folder, "declared.json");
  writeFileSync(declared, JSON.stringify(DECLARED));
  for (const host of HOSTS) {
    const token = (await headrace(["token", "create", "--host"])).stdout.trim();
    const agent = startProcess(
      [
        "ip",
        "netns",
        "exec",
        host,
        node,
        CLI,
        "agent",
        "--server",
        url,
        "--name",
        host,
        "--data-dir",
        join(folder, host),
        "--declare",
        declared,
        "--job-user",
        "same",
      ],
      { ...base, PATH: [bin, pythonBin, process.env.PATH].join(delimiter), HEADRACE_JOIN_TOKEN: token },
    );
    running.push(agent);
  }

  const file = join(ROOT, "test/fixtures/configs/pd-smg.yml");
  const apply = await headrace(["apply", "-f", file, "-y", "--timeout", "2m"], { HF_TOKEN: "hf-secret-value" });
  const service = `${url}/proxy/services/main/prefill-decode`;
  const token = (await headrace(["token", "show"])).stdout.trim();
  const model = "zai-org/GLM-4.5-Air-FP8";
  const { status: wrongToken } = await chat(service, "hra_wrong", { model });
  const answer = await chat(service, token, { model });
  const stream = await chat(service, token, { model, stream: true, max_tokens: 40 });
  const described = (await (
    await fetch(`${url}/api/projects/main/hosts`, { headers: { authorization: `Bearer ${token}` } })
  ).json()) as { hosts?: ClusterResult["hosts"] } | ClusterResult["hosts"];
  const hosts = (Array.isArray(described) ? described : (described.hosts ?? [])).map(({ name, address, jobs }) => ({
    name,
    address,
    jobs,
  }));

  const stop = await headrace(["stop", "prefill-decode", "-y"]);
  await until(
    async () => (await headrace(["ps", "--json"])).stdout.includes('"stopped"'),
    () => stop.output,
  );
  return {
    apply: { code: apply.code, output: apply.output },
    wrongToken,
    answer,
    stream,
    records: Object.fromEntries(
      readdirSync(records).map((name) => [name.replace(".jsonl", ""), readLines(join(records, name))]),
    ),
    hosts,
    stop: { code: stop.code, output: stop.output },
    leftOver: leftOver(),
  };
}

function readLines(path: string) {
  const lines = readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as ClusterResult["records"][string][number]);
}

/** Routers and engines that still run in this pid namespace, and folders of jobs that are still there. */
function leftOver(): string[] {
  const processes = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      } catch {
        return "";
      }
    })
    .filter((line) => /smg|launch_server|engine-sim/.test(line) && !line.includes("cluster.ts"));
  const folders = HOSTS.flatMap((host) => {
    try {
      return readdirSync(join(folder, host, "jobs")).map((job) => `${host}/jobs/${job}`);
    } catch {
      return [];
    }
  });
  return [...processes, ...folders];
}

await tell(main, running);
