/**
 * Services in containers on hosts of one machine: run inside fresh network, mount and pid namespaces, so that all of it
 * is gone when this process ends. Each host is a network namespace with a Docker engine of its own. One has AMD's
 * accelerators, as a tree of files and device nodes; NVIDIA's are declared, and the hook of NVIDIA's toolkit, without
 * which an engine hands none of them out, does nothing here.
 *
 * What the machine cannot grant, and how the run goes on without it:
 * - `privileged`: its engine may lack capabilities that a privileged container has (CAP_SYS_RESOURCE). `LenientEngine`
 *   keeps what was asked for, to be compared, and asks for the same without it.
 * - memory without a limit to lock it, for the same reason: the agent itself leaves the limit out, which is the
 *   product's own fallback.
 * - accelerators and NICs: their nodes are made with `mknod` and lead to /dev/null, the provider's library is a file
 *   with a line of text, and the engines are simulated.
 *
 * Prints one line of JSON (`ContainersResult`) as its last line.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ROOT } from "../../../scripts/bootstrap.js";
import { type Answer, chat } from "../../support/chat.ts";
import { Dockerd } from "../../support/dockerd.ts";
import { ENGINE_IMAGE_SETTINGS, makeEngineRoot } from "../../support/engine-image.ts";
import { mi300xHost } from "../../support/fake-sysfs/mi300x.ts";
import { BRIDGE_ADDRESS, HostNetwork } from "../../support/host-network.ts";
import { type AskedContainer, LenientEngine } from "../../support/lenient-engine.ts";
import { type Listener, listenersIn } from "../../support/listeners.ts";
import { openPorts } from "../../support/open-ports.ts";
import { CLI, type Running, runProcess, startProcess, until } from "../../support/processes.ts";
import { tell } from "./tell.ts";

export interface ServedInContainers {
  apply: { code: number | null; output: string };
  /** Streamed. */
  answer: Answer;
  /** Each container on any host, by the order of the hosts and by image, with the devices that it was given. */
  containers: { host: string; image: string; devices: string[] }[];
  /** Of `SCANNED` alone: all TCP ports of its host that are open to others, and what listens there. */
  sockets: { open: number[]; listeners: Listener[] } | null;
  stop: { code: number | null; output: string };
  delete: { code: number | null; output: string };
  /** Containers after that. */
  leftOver: string[];
}

export interface ContainersResult {
  /** By the file that was applied. */
  served: Record<string, ServedInContainers>;
  /** What a plan of the privileged one says before its fleet allows that. */
  plan: string;
  /** What engines were asked to create for it, by the replicas. */
  asked: AskedContainer[];
  /** How many of these had to do without `privileged`. */
  cleared: number;
}

const BASE_IMAGE = "headrace/base:1";
/** What the services below name, and what generated routers run in. */
const IMAGES = [
  BASE_IMAGE,
  "lmsysorg/sglang:latest",
  "lmsysorg/sglang:v0.5.10.post1",
  "lmsysorg/sglang:v0.5.5.post3-rocm700-mi30x",
  "rocm/sgl-dev:v0.5.10.post1-rocm720-mi30x-20260427",
];
const AMD_HOST = "amd";
const NVIDIA_HOSTS = ["nvidia1", "nvidia2"];
const HOSTS = [AMD_HOST, ...NVIDIA_HOSTS];
const DECLARED = "cpu=128,memory=1024,disk=4000";

const SERVICES = [
  { file: "sglang-service.yml", service: "qwen", model: "qwen/qwen2.5-0.5b-instruct" },
  { file: "sglang-service-amd.yml", service: "qwen", model: "qwen/qwen2.5-0.5b-instruct" },
  { file: "pd-smg.yml", service: "prefill-decode", model: "zai-org/GLM-4.5-Air-FP8" },
  { file: "pd-service-router.yml", service: "glm45air", model: "zai-org/GLM-4.5-Air-FP8" },
];

/** Its hosts have to reach each other, so that there is something open. */
const SCANNED = "pd-smg.yml";

/** Privileged, with the provider's library of its hosts, and all eight accelerators of two of them. */
const PRIVILEGED = {
  file: "pd-smg-amd.yml",
  service: "amd-sglang-pd-service",
  model: "Qwen/Qwen2.5-72B-Instruct",
};
/**
 * Other hosts take the place of NVIDIA's for it: one more with AMD's accelerators, and one without any. The router may go
 * anywhere, and its port would keep a worker from the host.
 */
const SECOND_AMD_HOST = "amd2";
const PLAIN_HOST = "plain";
const PROVIDER_LIBRARY = "/usr/lib64/libibverbs/libbnxt_re-rdmav34.so";

const FLEET = `type: fleet
name: default
allow:
  privileged: true
  host_paths: [/usr/lib64/libibverbs]
`;

const [folder, pythonBin] = process.argv.slice(2) as [string, string];
const running: Running[] = [];
const agents = new Map<string, Running>();
const engines = new Map<string, Dockerd>();
/** What agents take for the engines. */
const lenient = new Map<string, LenientEngine>();

async function main(): Promise<ContainersResult> {
  const network = HostNetwork.make(HOSTS);
  writeBelow("/usr/bin", "nvidia-container-runtime-hook", "#!/bin/sh\ncat > /dev/null\n", 0o755);
  writeBelow(dirname(dirname(PROVIDER_LIBRARY)), "libibverbs/libbnxt_re-rdmav34.so", "a library", 0o644);
  await startEngines();
  const base = { PATH: process.env.PATH, HOME: folder, XDG_CONFIG_HOME: join(folder, "config") };
  const node = process.execPath;
  const server = startProcess(
    [node, CLI, "server", "--host", BRIDGE_ADDRESS, "--port", "3000", "--data-dir", join(folder, "server")],
    { ...base, HEADRACE_IMAGE_BASE: BASE_IMAGE },
  );
  running.push(server);
  const url = `http://${BRIDGE_ADDRESS}:3000`;
  await until(() => server.output().includes("serves at"), server.output);
  const headrace = (args: string[]) => runProcess([node, CLI, ...args], { ...base, HF_TOKEN: "hf-secret-value" });

  const amd = [...amdRoots(), "--declare", DECLARED];
  const nvidia = ["--declare", `${DECLARED},gpu=H200:8`];
  /** @param on the namespace and engine that it has */
  const startAgent = async (name: string, on: string, has: string[]): Promise<Running> => {
    const token = (await headrace(["token", "create", "--host"])).stdout.trim();
    const docker = ["--docker-socket", lenient.get(on)?.socket ?? ""];
    const flags = ["--server", url, "--name", name, "--data-dir", join(folder, name), "--job-user", "same"];
    const agent = startProcess(["ip", "netns", "exec", on, node, CLI, "agent", ...flags, ...docker, ...has], {
      ...base,
      HEADRACE_JOIN_TOKEN: token,
    });
    running.push(agent);
    return agent;
  };
  for (const host of HOSTS) agents.set(host, await startAgent(host, host, host === AMD_HOST ? amd : nvidia));

  const served: ContainersResult["served"] = {};
  const token = (await headrace(["token", "show"])).stdout.trim();
  const configOf = (file: string) => join(ROOT, "test/fixtures/configs", file);
  const serve = async ({ file, service, model }: (typeof SERVICES)[number]) => {
    const config = configOf(file);
    const apply = await headrace(["apply", "-f", config, "-y", "--timeout", "90s"]);
    const answer = await chat(`${url}/proxy/services/main/${service}`, token, { model, stream: true, max_tokens: 20 });
    const containers = await containersOfAll();
    const [first] = containers;
    const sockets = file === SCANNED && first ? await socketsOf(network, first.host) : null;
    const stop = await headrace(["stop", service, "-y"]);
    const deleted = await headrace(["delete", service, "-y"]);
    await until(
      async () => (await containersOfAll()).length === 0,
      () => `containers of ${service} stay:\n${apply.output}\n${stop.output}\n${deleted.output}`,
    );
    served[file] = {
      apply: { code: apply.code, output: apply.output },
      answer,
      containers,
      sockets,
      stop: { code: stop.code, output: stop.output },
      delete: { code: deleted.code, output: deleted.output },
      leftOver: (await containersOfAll()).map(({ image }) => image),
    };
  };
  for (const service of SERVICES) await serve(service);

  for (const host of NVIDIA_HOSTS) await agents.get(host)?.stop();
  await startAgent(SECOND_AMD_HOST, "nvidia1", amd);
  await startAgent(PLAIN_HOST, "nvidia2", ["--declare", DECLARED]);
  const isKnown = async () => {
    const { stdout } = await headrace(["host", "list"]);
    const online = stdout.split("\n").filter((line) => line.includes(" online "));
    return online.length === 3 && online.some((line) => line.includes(PLAIN_HOST)) && stdout.includes(SECOND_AMD_HOST);
  };
  await until(isKnown, () => "the hosts for the privileged service do not join");
  const plan = (await headrace(["plan", "-f", configOf(PRIVILEGED.file)])).output;
  writeFileSync(join(folder, "fleet.yml"), FLEET);
  const allowed = await headrace(["apply", "-f", join(folder, "fleet.yml"), "-y"]);
  if (allowed.code !== 0) throw new Error(allowed.output);
  await serve(PRIVILEGED);
  const asked = [...lenient.values()].flatMap((engine) => engine.asked);
  const cleared = [...lenient.values()].reduce((sum, engine) => sum + engine.cleared, 0);
  return { served, plan, asked: asked.filter(({ name }) => name.includes(PRIVILEGED.service)), cleared };
}

/** A file in a folder of our own, which lies over the machine's. */
function writeBelow(folder: string, name: string, text: string, mode: number): void {
  const own = mkdtempSync("/run/headrace-over-");
  execFileSync("mount", ["-t", "tmpfs", "tmpfs", own]);
  for (const layer of ["upper", "work"]) mkdirSync(join(own, layer));
  const layers = `lowerdir=${folder},upperdir=${own}/upper,workdir=${own}/work`;
  execFileSync("mount", ["-t", "overlay", "overlay", "-o", layers, folder]);
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text, { mode });
}

async function startEngines(): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "headrace-engine-root-"));
  await makeEngineRoot(root, pythonBin);
  for (const host of HOSTS) {
    // `ip netns exec` would mount another /sys, in which there are no control groups.
    const engine = await Dockerd.start(["nsenter", `--net=/run/netns/${host}`]);
    engines.set(host, engine);
    lenient.set(host, await LenientEngine.before(engine.socket));
    await engine.importImage(BASE_IMAGE, root, ENGINE_IMAGE_SETTINGS);
    for (const image of IMAGES.slice(1)) await engine.tag(BASE_IMAGE, image);
  }
  rmSync(root, { recursive: true });
}

/** Files as the kernel's, and nodes that can be opened. @returns the agent's flags */
function amdRoots(): string[] {
  const tree = mi300xHost();
  const root = join(folder, "amd-tree");
  tree.write(root);
  for (const path of tree.paths().filter((name) => name.startsWith("dev/"))) {
    rmSync(join(root, path), { force: true });
    mkdirSync(dirname(join(root, path)), { recursive: true });
    execFileSync("mknod", ["-m", "660", join(root, path), "c", "1", "3"]);
  }
  return ["--sysfs-root", join(root, "sys"), "--proc-root", join(root, "proc"), "--dev-root", join(root, "dev")];
}

async function socketsOf(network: HostNetwork, host: string) {
  const agent = agents.get(host);
  if (agent === undefined) throw new Error(`host ${host} has no agent`);
  return { open: await openPorts(network.addressOf(host)), listeners: listenersIn(agent.pid) };
}

async function containersOfAll(): Promise<ServedInContainers["containers"]> {
  const found: ServedInContainers["containers"] = [];
  for (const [host, engine] of engines) {
    for (const { Id } of await engine.containers()) {
      const { Config, HostConfig } = (await engine.call("GET", `/containers/${Id}/json`)) as {
        Config: { Image: string };
        HostConfig: {
          Devices: { PathInContainer: string }[] | null;
          DeviceRequests: { Driver: string; DeviceIDs: string[] }[] | null;
        };
      };
      const devices = [
        ...(HostConfig.Devices ?? []).map(({ PathInContainer }) => PathInContainer),
        ...(HostConfig.DeviceRequests ?? []).flatMap(({ Driver, DeviceIDs }) =>
          DeviceIDs.map((id) => `${Driver} ${id}`),
        ),
      ];
      found.push({ host, image: Config.Image, devices });
    }
  }
  const order = (one: (typeof found)[number]) => `${[...engines.keys()].indexOf(one.host)} ${one.image}`;
  return found.sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

await tell(main, running, async () => {
  await Promise.all(running.map((each) => each.stop()));
  for (const engine of lenient.values()) engine.close();
  for (const engine of engines.values()) await engine[Symbol.asyncDispose]();
});
