import { measureCosts } from "./edge/costs.ts";
import { measureMinutes } from "./edge/hosts.ts";
import { measureStart } from "./edge/start.ts";
import { measureStorms } from "./edge/storm.ts";
import { measureWays } from "./edge/ways.ts";
import type { BenchResult } from "./support/report.ts";
import { stage } from "./support/stage.ts";

/** The control plane as a Worker, on plain workerd: its size and start, what it costs, and how fast requests go through. */
export default async function bench(): Promise<BenchResult> {
  return {
    about:
      "The Worker on plain workerd beside a libSQL server on this machine. Costs are counts of what the platform " +
      "charges for, and depend on no machine. CPU is the whole process's.",
    tables: [
      await stage("size and start", 120, measureStart),
      await stage("what one of each costs", 120, measureCosts),
      await stage("minutes in which nothing happens", 300, measureMinutes),
      await stage("storms", 300, measureStorms),
      ...(await stage("ways to a replica", 240, measureWays)),
    ],
  };
}
