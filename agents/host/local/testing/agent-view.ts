import { desiredJob } from "../../decide/testing.ts";
import { type AgentView, viewJob } from "../view.ts";

export const NOW = Date.UTC(2026, 10, 21, 12);

/** An agent with two jobs, one of which is started again, on a host with an accelerator that is not well. */
export function agentView(fields: Partial<AgentView> = {}): AgentView {
  const report = { recentEnds: 0, lastEnd: null, confirmed: null, message: "" };
  return {
    version: "0.1.0",
    node: "24.21.0",
    pid: 4711,
    startedAt: NOW - 3 * 3_600_000,
    server: "https://headrace.example.com",
    project: "main",
    fleet: "h100",
    host: "gpu-7-0123abcd",
    dataDir: "/var/lib/headrace",
    memoryBytes: 72_000_000,
    cpuSeconds: 21.6,
    loop: { looks: 10_800, sumMs: 5_400, maxMs: 250 },
    link: {
      since: NOW - 600_000,
      opened: 2,
      failed: 3,
      openStreams: 4,
      bytesReceived: 1_500_000,
      bytesSent: 42_000_000,
    },
    heardBy: "link",
    syncs: { answered: 1_080, failed: 1, seconds: 2.5, reportBytes: 900_000, answeredAt: NOW - 4_000, failure: "" },
    desired: { version: 42, hash: "0a1b", jobs: [viewJob(desiredJob()), viewJob(desiredJob({ job: "w-2.0" }))] },
    jobs: [
      { ...report, job: "w-1.0", replica: "w-1", state: "ready", attempt: 1 },
      { ...report, job: "w-2.0", replica: "w-2", state: "backoff", attempt: 3, message: "ended with exit code 1" },
    ],
    routers: [],
    runtimes: [
      { name: "process", usable: true, warnings: [] },
      { name: "docker", usable: false, warnings: [] },
    ],
    turns: { turns: 900, starts: 4, restarts: 2, startsFailed: 0, probes: 700, probesFailed: 30 },
    lastTurn: null,
    inventory: {
      address: "10.0.0.7",
      arch: "x86",
      cpus: 128,
      memoryGib: 1_024,
      diskGib: 4_000,
      accelerators: [0, 1].map((index) => ({ index, vendor: "nvidia", name: "H100", memoryGib: 80 })),
      runtimes: ["process"],
      warnings: ["no container can be started or stopped: nothing listens"],
      interface: "eth0",
      nics: [],
      fabric: null,
      problems: [
        { code: "accelerator_hot", part: "0000:1b:00.0", accelerators: [1], message: "accelerator 1 is too hot" },
      ],
      disks: [],
      modelCache: null,
    },
    disk: { freeBytes: 812e9, bytes: 1_900e9 },
    ...fields,
  };
}
