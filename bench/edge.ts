import { measureCosts } from "./edge/costs.ts";
import { measureMinutes } from "./edge/hosts.ts";
import { measureStart } from "./edge/start.ts";
import { measureWays } from "./edge/ways.ts";
import type { BenchResult } from "./support/report.ts";

/** The control plane as a Worker, on plain workerd: its size and start, what it costs, and how fast requests go through. */
export default async function bench(): Promise<BenchResult> {
  return {
    about:
      "The Worker on plain workerd beside a libSQL server on this machine. Costs are counts of what the platform " +
      "charges for, and depend on no machine. CPU is the whole process's.",
    tables: [await measureStart(), await measureCosts(), await measureMinutes(), ...(await measureWays())],
  };
}
