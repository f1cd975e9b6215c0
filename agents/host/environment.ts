import type { DesiredJob, Inventory } from "../../src/wire/index.ts";

/** Of the agent's own environment, what every job gets. Anything else may be the operator's secret. */
const INHERITED = ["PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ"] as const;

/**
 * The environment of a job: what the control plane rendered, with what only the host knows added. The rendered one wins
 * wherever both name a variable. What is the job's own on the host (HOME, TMPDIR) is for the runtime to add.
 *
 * A job that was promised no accelerator sees none: on a host that has some, the variables are set and empty.
 *
 * @param agent the agent's own environment
 */
export function jobEnvironment(
  job: Pick<DesiredJob, "launch" | "accelerators">,
  host: Pick<Inventory, "address" | "accelerators">,
  agent: Record<string, string | undefined>,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of INHERITED) if (agent[name] !== undefined) environment[name] = agent[name];
  return {
    ...environment,
    ...visibleDevices(job.accelerators, host.accelerators),
    HEADRACE_ADDRESS: host.address,
    ...job.launch.env,
  };
}

function visibleDevices(promised: number[], present: Inventory["accelerators"]): Record<string, string> {
  const indices = (vendor: string) =>
    present.filter((one) => one.vendor === vendor && promised.includes(one.index)).map((one) => one.index);
  const visible: Record<string, string> = {};
  if (present.some((one) => one.vendor === "nvidia")) {
    visible.CUDA_VISIBLE_DEVICES = indices("nvidia").join(",");
    // CUDA would count the fastest first; nvidia-smi, and so the inventory, counts in the order of the bus.
    visible.CUDA_DEVICE_ORDER = "PCI_BUS_ID";
  }
  if (present.some((one) => one.vendor === "amd")) {
    const chosen = indices("amd");
    visible.ROCR_VISIBLE_DEVICES = chosen.join(",");
    // HIP counts what ROCr leaves it, from 0.
    visible.HIP_VISIBLE_DEVICES = chosen.map((_, position) => position).join(",");
  }
  return visible;
}
