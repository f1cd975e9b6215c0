import type { Drill } from "./drill.ts";
import { killAgent } from "./scenarios/agent.ts";
import { agentClock, serverClock } from "./scenarios/clock.ts";
import { killControlPlane } from "./scenarios/control-plane.ts";
import { fullAgentDisk, fullServerDisk } from "./scenarios/disk.ts";
import { cutHost, freezeHost } from "./scenarios/host.ts";
import { killOnlyWorker } from "./scenarios/only-worker.ts";
import { outage } from "./scenarios/outage.ts";
import { killRouter } from "./scenarios/router.ts";
import { killTogether } from "./scenarios/together.ts";
import { killWorker } from "./scenarios/worker.ts";

/** Every drill by its name; `npm run bench -- recovery` and the tests beside this file run them. */
export const DRILLS = {
  decode: killWorker("decode"),
  prefill: killWorker("prefill"),
  "only-decode": killOnlyWorker("decode"),
  "only-prefill": killOnlyWorker("prefill"),
  router: killRouter,
  "agent-of-workers": killAgent("gpu1", "the agent of a worker's host"),
  "agent-of-router": killAgent("front", "the agent of the router's host"),
  "control-plane": killControlPlane,
  outage,
  together: killTogether,
  frozen: freezeHost,
  cut: cutHost,
  "agent-disk": fullAgentDisk,
  "server-disk": fullServerDisk,
  "agent-clock": agentClock,
  "server-clock": serverClock,
} as const satisfies Record<string, Drill>;

export type DrillName = keyof typeof DRILLS;
