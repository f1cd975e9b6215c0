import * as z from "zod";

/** A warning's length; what is longer is cut by the agent. */
export const WARNING_CHARS_MAX = 1_000;

export const accelerator = z.object({
  /** Position on the host, as vendor tools and `CUDA_VISIBLE_DEVICES` count. */
  index: z.int().min(0),
  vendor: z.enum(["nvidia", "amd", "google", "intel", "tenstorrent"]),
  /** e.g. `H200`. */
  name: z.string().max(100),
  memoryGib: z.number().min(0),
});

/** What a host has, as its agent sees it or as it was declared to the agent. */
export const inventory = z.object({
  /** The address at which other hosts of the fleet reach this one. */
  address: z.string().refine(isAddress, "must be a host's name or address, as it can stand in a URL (no zone)"),
  arch: z.enum(["x86", "arm"]),
  cpus: z.number().min(0),
  memoryGib: z.number().min(0),
  diskGib: z.number().min(0),
  accelerators: z.array(accelerator).max(1024),
  runtimes: z.array(z.enum(["process", "docker"])),
  /** Things an operator should know, e.g. that jobs are not confined by a cgroup. */
  warnings: z.array(z.string().max(WARNING_CHARS_MAX)).max(50),
});

/** Workers are known by URLs made of it, to other hosts too: what makes none would be their trouble. */
function isAddress(text: string): boolean {
  return /^[\w.:-]{1,253}$/.test(text) && URL.canParse(`http://${text.includes(":") ? `[${text}]` : text}:80`);
}

export type Accelerator = z.infer<typeof accelerator>;
export type Inventory = z.infer<typeof inventory>;
