import type * as z from "zod";
import {
  type DesiredJob,
  type DesiredState,
  desiredState,
  type Inventory,
  type JoinAnswer,
  type JoinRequest,
  joinAnswer,
  joinRequest,
  type LogLine,
  logLine,
  type OpenToAgent,
  openToAgent,
  openToControl,
  type Report,
  report,
  type SyncAnswer,
  syncAnswer,
} from "../../src/wire/index.ts";
import { plainInventory } from "./inventories.ts";

/**
 * Every message between agents and the control plane, as this code writes it: with something in each field that can be
 * left empty, and with all of them empty. Their types see to it that a field that is added is added here, but for those
 * that may be left out.
 */

const inventory: Inventory = {
  address: "10.0.0.5",
  arch: "x86",
  cpus: 128,
  memoryGib: 2048,
  diskGib: 3500.5,
  accelerators: [
    {
      index: 0,
      vendor: "nvidia",
      name: "H100",
      memoryGib: 80,
      device: {
        bus: "0000:0c:00.0",
        numa: 0,
        driver: "nvidia 550.54.15",
        uuid: "GPU-7c0f3bd1-3d2e-4a52-9a3f-2f6c7a3a9c11",
        nodes: ["nvidia0"],
        near: { distance: "pix", nics: ["mlx5_0"] },
      },
    },
    { index: 1, vendor: "amd", name: "MI300X", memoryGib: 192 },
  ],
  runtimes: ["process", "docker"],
  warnings: ["jobs are not confined by a cgroup"],
  interface: "eno1",
  nics: [
    {
      name: "mlx5_0",
      port: 1,
      bus: "0000:0f:00.0",
      numa: null,
      driver: "mlx5_core",
      interface: null,
      state: "active",
      rateGbps: 400,
      linkLayer: "infiniband",
      gidIndex: null,
      nodes: ["infiniband/uverbs0"],
    },
  ],
  fabric: { kind: "infiniband", rateGbps: 400, nics: ["mlx5_0"], gidIndex: null },
  problems: [
    { code: "accelerator_gone", part: "0000:0c:00.0", accelerators: [0], message: "accelerator 0 does not answer" },
  ],
  disks: [{ path: "/var/lib/headrace", holds: ["data", "models"], gib: 3500.5, level: "low" }],
  modelCache: { path: "/var/lib/headrace/models", gib: 412 },
};

const bareInventory = plainInventory({
  address: "gpu-1.internal",
  arch: "arm",
  cpus: 2,
  memoryGib: 4,
  diskGib: 10,
});

const agent: Report["agent"] = {
  version: "0.1.0",
  bootId: "5d1c9a52-54d3-4b43-9d0e-4f3f0c8d7f10",
  machine: "m-1",
  incarnation: "2f6c7a3a",
};

const installed: Report["agent"]["installed"] = {
  build: "0a".repeat(32),
  failed: { build: "0b".repeat(32), order: 11, reason: "it ended 3 times before the server had accepted it" },
};

const reports: Report[] = [
  {
    agent: { ...agent, installed },
    seq: 7,
    applied: { version: 12, hash: "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945" },
    inventory,
    busyPorts: [22, 9100],
    jobs: [
      {
        job: "chat-prefill-3.0",
        replica: "chat-prefill-3",
        state: "ready",
        attempt: 2,
        recentEnds: 1,
        lastEnd: { exitCode: null, signal: "SIGKILL", outOfMemory: true, tail: "out of memory" },
        confirmed: { role: "prefill", bootstrapPort: 8998 },
        message: "",
      },
      {
        job: "chat-router-1.0",
        replica: "chat-router-1",
        state: "backoff",
        attempt: 0,
        recentEnds: 0,
        lastEnd: null,
        confirmed: null,
        message: "ended with exit code 1; will be started again",
      },
    ],
    routers: [
      {
        job: "chat-router-1.0",
        replica: "chat-router-1",
        incarnation: "81723/5512",
        listed: ["chat-prefill-3"],
        synced: 11,
      },
    ],
    peers: {
      tag: "9f3c2a11d04b7e65",
      round: 3,
      unreached: [
        { host: "gpu-2-91ab33c0", address: "10.0.0.5", ports: [8000, 8998], whole: true, why: "no answer in 1 s" },
      ],
    },
  },
  {
    agent: { ...agent, installed: { ...installed, failed: null } },
    seq: 1,
    applied: { version: 0, hash: "" },
    inventory: bareInventory,
    busyPorts: [],
    jobs: [],
    routers: [],
    peers: { tag: "", round: 0, unreached: [] },
  },
  {
    agent,
    seq: 0,
    applied: { version: 0, hash: "" },
    inventory: bareInventory,
    busyPorts: [],
    jobs: [],
    routers: [],
    peers: null,
  },
];

const inContainer: DesiredJob = {
  job: "chat-prefill-3.0",
  replica: "chat-prefill-3",
  service: "chat",
  group: "prefill",
  role: "prefill",
  created: 9,
  phase: { kind: "quiesce", withinMs: 300_000 },
  launch: {
    runtime: "docker",
    image: "lmsysorg/sglang:latest",
    shell: "/bin/bash",
    script: "python3 -m sglang.launch_server --port 8000",
    env: { HF_TOKEN: "secret", MODE: "fast" },
    workingDir: "/srv",
    files: [{ path: "app", sha256: "0f".repeat(32), bytes: 10 }],
    container: {
      image: "lmsysorg/sglang:latest",
      registryAuth: { username: "ada", password: "secret" },
      command: { kind: "argv", argv: ["python3", "-m", "sglang.launch_server"] },
      user: "1000:1000",
      privileged: true,
      shmBytes: 1_073_741_824,
      volumes: [
        { source: "/mnt/models", target: "/models", optional: false, within: "/mnt" },
        { source: "/opt/lib", target: "/opt/lib", optional: true },
      ],
    },
  },
  port: 8000,
  ports: [8000, 8998],
  accelerators: [0, 1],
  engine: "sglang",
  router: null,
  probes: [
    {
      method: "get",
      path: "/health",
      headers: [{ name: "x-probe", value: "1" }],
      body: "{}",
      timeoutMs: 10_000,
      intervalMs: 15_000,
      readyAfter: 1,
      untilReady: false,
    },
  ],
  behindRouter: true,
  workers: [],
};

const asProcess: DesiredJob = {
  ...inContainer,
  job: "chat-router-1.0",
  replica: "chat-router-1",
  group: "router",
  role: "router",
  phase: { kind: "run" },
  launch: {
    runtime: "process",
    image: null,
    shell: "sh",
    script: "smg launch",
    env: {},
    workingDir: null,
    files: [],
    container: null,
  },
  accelerators: [],
  engine: null,
  router: "smg",
  probes: [{ ...inContainer.probes[0]!, headers: [], body: null }],
  behindRouter: false,
  workers: [
    {
      replica: "chat-prefill-3",
      url: "http://10.0.0.5:8000",
      role: "prefill",
      bootstrapPort: 8998,
      labels: { pairing_protocol: "p1" },
    },
  ],
};

const stopped: DesiredJob = {
  ...inContainer,
  phase: { kind: "stop", withinMs: 0 },
  launch: {
    ...inContainer.launch,
    container: {
      ...inContainer.launch.container!,
      registryAuth: null,
      command: { kind: "shell" },
      user: null,
      shmBytes: null,
      volumes: [],
    },
  },
};

const desired: DesiredState = {
  project: "main",
  host: "gpu-1-7c0f3bd1",
  version: 12,
  jobs: [inContainer, asProcess, stopped],
};

const answers: SyncAnswer[] = [
  {
    version: 12,
    hash: "4f53",
    desired,
    nextSyncInMs: 10_000,
    peers: {
      tag: "9f3c2a11d04b7e65",
      hosts: [{ host: "gpu-2-91ab33c0", address: "10.0.0.5", ports: [8000, 8998] }],
      everyMs: 60_000,
      roundMs: 600_000,
    },
  },
  {
    version: 12,
    hash: "4f53",
    desired: null,
    agent: { build: "0a".repeat(32), order: 12, from: "https://downloads.example.com/headrace-install" },
    nextSyncInMs: 10_000,
    peers: { tag: "0000000000000000", hosts: [], everyMs: 3_600_000, roundMs: 3_600_000 },
  },
  { version: 0, hash: "", desired: null, nextSyncInMs: 0, peers: null },
];

const joins: JoinRequest[] = [
  {
    name: "gpu-1",
    machine: "m-1",
    agentVersion: "0.1.0",
    inventory,
    fleet: "h100",
    credentialHash: "0f".repeat(32),
  },
  { name: "gpu-2", machine: "m-2", agentVersion: "0.1.0", inventory: bareInventory, credentialHash: "0f".repeat(32) },
];
const joined: JoinAnswer[] = [{ project: "main", fleet: "h100", host: "gpu-1-7c0f3bd1" }];

const toAgent: OpenToAgent[] = [
  { kind: "http", replica: "chat-router-1", method: "POST", path: "/v1/chat/completions", headers: [["x-a", "b"]] },
  { kind: "wake" },
  { kind: "logs", replica: "chat-router-1", tailLines: 100, follow: true },
];
const toControl: z.infer<typeof openToControl>[] = [{ kind: "sync" }];
const logLines: LogLine[] = [{ replica: "chat-router-1", ageMs: 12, attempt: 1, text: "started" }];

/** By name: what reads a message, and what is written. */
export const MESSAGES: Record<string, { schema: z.ZodType; samples: object[] }> = {
  join_request: { schema: joinRequest, samples: joins },
  join_answer: { schema: joinAnswer, samples: joined },
  report: { schema: report, samples: reports },
  sync_answer: { schema: syncAnswer, samples: answers },
  desired_state: { schema: desiredState, samples: [desired] },
  open_to_agent: { schema: openToAgent, samples: toAgent },
  open_to_control: { schema: openToControl, samples: toControl },
  log_line: { schema: logLine, samples: logLines },
};
