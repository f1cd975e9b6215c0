import type { DesiredJob, Inventory } from "../../src/wire/index.ts";
import { type DerivedVariable, fabricEnvironment } from "./fabric-environment.ts";

/** Of the agent's own environment, what every process gets. Anything else may be the operator's secret. */
const INHERITED = ["PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ"] as const;

interface JobEnvironment {
  variables: Record<string, string>;
  /** Those of them that follow from the host's network, with their reasons. */
  derived: DerivedVariable[];
}

/**
 * The environment of a job: what the control plane rendered, with what only the host knows added. The rendered one wins
 * wherever both name a variable. What is the job's own on the host (HOME, TMPDIR) is for the runtime to add. A container
 * inherits nothing: its image knows where its programs are.
 *
 * A job that was promised no accelerator sees none: on a host that has some, the variables are set and empty.
 *
 * @param agent the agent's own environment
 */
export function jobEnvironment(
  job: Pick<DesiredJob, "launch" | "accelerators">,
  host: Pick<Inventory, "address" | "accelerators" | "nics" | "fabric" | "interface" | "problems">,
  agent: Record<string, string | undefined>,
): JobEnvironment {
  const { container, env } = job.launch;
  // A job has no terminal, and Python would hold its lines back by the block.
  const inherited: Record<string, string> = container === null ? {} : { PYTHONUNBUFFERED: "1" };
  if (container === null) {
    for (const name of INHERITED) if (agent[name] !== undefined) inherited[name] = agent[name];
  }
  // A privileged container has every device of the host in its /dev, as a process has.
  const choosing = container === null || container.privileged ? visibleDevices : devicesInContainer;
  const derived = fabricEnvironment(job.accelerators, host, env);
  return {
    variables: {
      ...inherited,
      ...choosing(job.accelerators, host.accelerators, gone(host)),
      ...Object.fromEntries(derived.map(({ name, value }) => [name, value])),
      HEADRACE_ADDRESS: host.address,
      ...env,
    },
    derived,
  };
}

/** The accelerators that were there and are not any more. They keep their indices, since jobs were promised others. */
function gone({ problems }: Pick<Inventory, "problems">): number[] {
  return problems.flatMap(({ code, accelerators }) => (code === "accelerator_gone" ? accelerators : []));
}

function visibleDevices(
  promised: number[],
  present: Inventory["accelerators"],
  missing: number[],
): Record<string, string> {
  // The vendors' runtimes count those that are left.
  const position = (index: number) => index - missing.filter((other) => other < index).length;
  const indices = (vendor: string) =>
    present
      .filter((one) => one.vendor === vendor && promised.includes(one.index) && !missing.includes(one.index))
      .map((one) => position(one.index));
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

/**
 * A container has only the devices that it was given, and both vendors count those from 0: the host's indices would hide
 * them. What is left to say is that it was given none, since images made for NVIDIA's accelerators ask for all of them.
 */
function devicesInContainer(promised: number[], present: Inventory["accelerators"]): Record<string, string> {
  if (!present.some(({ vendor }) => vendor === "nvidia")) return {};
  const given = present.some(({ vendor, index }) => vendor === "nvidia" && promised.includes(index));
  return given ? { CUDA_DEVICE_ORDER: "PCI_BUS_ID" } : { NVIDIA_VISIBLE_DEVICES: "void" };
}
