import { describe, expect, it } from "vitest";
import type { Accelerator } from "../../src/wire/index.ts";
import { desiredJob } from "./decide/testing.ts";
import { jobEnvironment } from "./environment.ts";

function accelerators(vendor: Accelerator["vendor"], count: number): Accelerator[] {
  return Array.from({ length: count }, (_, index) => ({ index, vendor, name: "X", memoryGib: 80 }));
}

/** One of which nothing is known but its accelerators. */
function host(present: Accelerator[], gone: number[] = []) {
  const problems = gone.map((index) => ({ code: "accelerator_gone", part: "", accelerators: [index], message: "" }));
  return { address: "10.0.0.7", accelerators: present, nics: [], fabric: null, interface: null, problems };
}

function inContainer(promised: number[], present: Accelerator[], privileged = false) {
  const job = desiredJob({ accelerators: promised });
  job.launch.container = {
    image: "i",
    registryAuth: null,
    command: { kind: "shell" },
    user: null,
    privileged,
    shmBytes: null,
    volumes: [],
  };
  return jobEnvironment(job, host(present), { PATH: "/usr/bin", LANG: "C" }).variables;
}

function environment(promised: number[], present: Accelerator[], env: Record<string, string> = {}) {
  const job = desiredJob({ accelerators: promised });
  job.launch.env = env;
  return jobEnvironment(job, host(present), { PATH: "/usr/bin", SECRET: "s" }).variables;
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

  it("counts as the vendor's runtime does once an accelerator is gone, and does not name that one", () => {
    const job = desiredJob({ accelerators: [1, 2, 3] });
    for (const [vendor, name] of [
      ["nvidia", "CUDA_VISIBLE_DEVICES"],
      ["amd", "ROCR_VISIBLE_DEVICES"],
    ] as const) {
      const { variables } = jobEnvironment(job, host(accelerators(vendor, 4), [2]), {});
      expect(variables[name]).toBe("1,2");
    }
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

describe("the environment of a container", () => {
  it("inherits nothing, since the image's programs are not where the host's are", () => {
    expect(inContainer([], [])).toEqual({ PYTHONUNBUFFERED: "1", HEADRACE_ADDRESS: "10.0.0.7" });
  });

  it("does not count by the host what the container counts from 0", () => {
    const always = { PYTHONUNBUFFERED: "1", HEADRACE_ADDRESS: "10.0.0.7" };
    expect(inContainer([2, 3], accelerators("amd", 4))).toEqual(always);
    expect(inContainer([2, 3], accelerators("nvidia", 4))).toEqual({ ...always, CUDA_DEVICE_ORDER: "PCI_BUS_ID" });
  });

  it("hides from an image that asks for all of NVIDIA's accelerators those that were not promised", () => {
    expect(inContainer([], accelerators("nvidia", 2))).toMatchObject({ NVIDIA_VISIBLE_DEVICES: "void" });
  });

  it("says as for a process which are meant where it is privileged, and so has all of them", () => {
    expect(inContainer([2, 3], accelerators("amd", 4), true)).toMatchObject({ ROCR_VISIBLE_DEVICES: "2,3" });
    expect(inContainer([1], accelerators("nvidia", 4), true)).toMatchObject({ CUDA_VISIBLE_DEVICES: "1" });
    expect(inContainer([], accelerators("nvidia", 4), true)).toMatchObject({ CUDA_VISIBLE_DEVICES: "" });
  });
});
