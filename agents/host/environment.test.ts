import { describe, expect, it } from "vitest";
import type { Accelerator } from "../../src/wire/index.ts";
import { desiredJob } from "./decide/testing.ts";
import { jobEnvironment } from "./environment.ts";

function accelerators(vendor: Accelerator["vendor"], count: number): Accelerator[] {
  return Array.from({ length: count }, (_, index) => ({ index, vendor, name: "X", memoryGib: 80 }));
}

function environment(promised: number[], present: Accelerator[], env: Record<string, string> = {}) {
  const job = desiredJob({ accelerators: promised });
  job.launch.env = env;
  return jobEnvironment(job, { address: "10.0.0.7", accelerators: present }, { PATH: "/usr/bin", SECRET: "s" });
}

describe("the environment of a job", () => {
  it("has the agent's PATH and the host's address, and nothing else that the agent was started with", () => {
    expect(environment([], [])).toEqual({ PATH: "/usr/bin", HEADRACE_ADDRESS: "10.0.0.7" });
  });

  it("names the accelerators that were promised", () => {
    expect(environment([1, 3], accelerators("nvidia", 4))).toMatchObject({
      CUDA_VISIBLE_DEVICES: "1,3",
      CUDA_DEVICE_ORDER: "PCI_BUS_ID",
    });
  });

  it("counts for HIP from 0 what ROCr lets through", () => {
    expect(environment([2, 3], accelerators("amd", 4))).toMatchObject({
      ROCR_VISIBLE_DEVICES: "2,3",
      HIP_VISIBLE_DEVICES: "0,1",
    });
  });

  it("hides every accelerator from a job that was promised none", () => {
    expect(environment([], accelerators("nvidia", 2)).CUDA_VISIBLE_DEVICES).toBe("");
    expect(environment([], accelerators("amd", 2)).ROCR_VISIBLE_DEVICES).toBe("");
  });

  it("leaves the last word to what was rendered", () => {
    const env = { PATH: "/opt/bin", CUDA_VISIBLE_DEVICES: "0", HEADRACE_ADDRESS: "1.2.3.4" };
    expect(environment([1], accelerators("nvidia", 2), env)).toMatchObject(env);
  });
});
