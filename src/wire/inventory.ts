import * as z from "zod";

export const accelerator = z.object({
  /** Position on the host, as vendor tools and `CUDA_VISIBLE_DEVICES` count. */
  index: z.int().min(0),
  vendor: z.enum(["nvidia", "amd", "google", "intel", "tenstorrent"]),
  /** e.g. `H200`. */
  name: z.string(),
  memoryGib: z.number().min(0),
});

/** What a host has, as its agent sees it or as it was declared to the agent. */
export const inventory = z.object({
  /** The address at which other hosts of the fleet reach this one. */
  address: z.string().min(1),
  arch: z.enum(["x86", "arm"]),
  cpus: z.number().min(0),
  memoryGib: z.number().min(0),
  diskGib: z.number().min(0),
  accelerators: z.array(accelerator).max(1024),
  runtimes: z.array(z.enum(["process", "docker"])),
  /** Things an operator should know, e.g. that jobs are not confined by a cgroup. */
  warnings: z.array(z.string()).max(50),
});

export type Accelerator = z.infer<typeof accelerator>;
export type Inventory = z.infer<typeof inventory>;
