import { describe, expect, test } from "vitest";
import type { Accelerator } from "../../../../src/wire/index.ts";
import { PLAIN_HOST } from "../../../../test/support/fake-hosts.ts";
import type { StartSpec } from "../types.ts";
import { type ContainerHost, containerBody } from "./container-spec.ts";

type Container = NonNullable<StartSpec["launch"]["container"]>;

function job(
  accelerators: number[],
  over: Partial<Container> = {},
): Pick<StartSpec, "launch" | "accelerators" | "env"> {
  const container: Container = {
    image: "i",
    registryAuth: null,
    command: { kind: "image" },
    user: null,
    privileged: false,
    shmBytes: null,
    volumes: [],
    ...over,
  };
  const launch: StartSpec["launch"] = {
    runtime: "docker",
    image: "i",
    shell: "/bin/sh",
    script: "true",
    env: {},
    workingDir: null,
    files: [],
    container,
  };
  return { launch, accelerators, env: {} };
}

function declared(vendor: Accelerator["vendor"], count: number): Accelerator[] {
  return Array.from({ length: count }, (_, index) => ({ index, vendor, name: "X", memoryGib: 80 }));
}

function host(over: Partial<ContainerHost> = {}): ContainerHost {
  return { ...PLAIN_HOST, ...over };
}

const nic: ContainerHost["nics"][number] = {
  name: "mlx5_0",
  port: 1,
  bus: null,
  numa: null,
  driver: null,
  interface: null,
  state: "active",
  rateGbps: 400,
  linkLayer: "infiniband",
  gidIndex: null,
  nodes: ["infiniband/uverbs0"],
};

/** One NIC, whose node is there. */
const withNic = { nics: [nic], devices: new Map([["infiniband/uverbs0", 0]]) };

test("a job without accelerators gets the host's network and nothing else of the host", () => {
  const full = host({ accelerators: declared("amd", 2), ...withNic });
  expect(containerBody(job([]), full)).toEqual({ Image: "i", Env: [], HostConfig: { NetworkMode: "host" } });
});

describe("NVIDIA's accelerators", () => {
  test("are asked for by their own names, or by their places where they were declared", () => {
    const [first, second] = declared("nvidia", 2) as [Accelerator, Accelerator];
    const device = { bus: "0000:0c:00.0", numa: 0, driver: null, uuid: "GPU-1", nodes: [], near: null };
    const both = host({ accelerators: [first, { ...second, device }], nvidiaToolkit: true });
    expect(containerBody(job([0, 1]), both).HostConfig?.DeviceRequests).toEqual([
      { Driver: "nvidia", DeviceIDs: ["0", "GPU-1"], Capabilities: [["gpu", "compute", "utility"]] },
    ]);
  });

  test("cannot be had without the vendor's toolkit, which is said with what to do", () => {
    expect(() => containerBody(job([0]), host({ accelerators: declared("nvidia", 1) }))).toThrow(
      /cannot give containers NVIDIA's accelerators: install NVIDIA's container toolkit .* and restart Docker/,
    );
  });
});

describe("AMD's accelerators", () => {
  test("that were declared are all there are, since nobody knows which node is whose", () => {
    const devices = new Map([
      ["kfd", 44],
      ["dri/renderD128", 106],
      ["dri/renderD129", 106],
    ]);
    const { HostConfig } = containerBody(job([0]), host({ accelerators: declared("amd", 2), devices }));
    expect(HostConfig?.Devices).toMatchObject([
      { PathOnHost: "/dev/kfd" },
      { PathOnHost: "/dev/dri/renderD128" },
      { PathOnHost: "/dev/dri/renderD129" },
    ]);
    expect(HostConfig?.GroupAdd).toEqual(["44", "106"]);
  });

  test("whose nodes are not there are not asked for, since the engine would refuse the container", () => {
    const { HostConfig } = containerBody(job([0]), host({ accelerators: declared("amd", 2) }));
    expect(HostConfig).toEqual({ NetworkMode: "host", IpcMode: "host" });
  });
});

describe("locked memory for RDMA", () => {
  const body = (memlockBytesMax: number | null) =>
    containerBody(job([0]), host({ accelerators: declared("amd", 1), ...withNic, memlockBytesMax })).HostConfig;

  test("has no limit where the engine may raise it", () => {
    expect(body(null)).toMatchObject({ CapAdd: ["IPC_LOCK"], Ulimits: [{ Name: "memlock", Soft: -1, Hard: -1 }] });
  });

  test("is left to the capability where it may not", () => {
    expect(body(8_388_608)).toMatchObject({ CapAdd: ["IPC_LOCK"] });
    expect(body(8_388_608)).not.toHaveProperty("Ulimits");
  });
});

test("devices from another folder are found at their usual places", () => {
  const elsewhere = host({ accelerators: declared("amd", 1), ...withNic, devRoot: "/fake/dev" });
  expect(containerBody(job([0]), elsewhere).HostConfig?.Devices).toEqual([
    {
      PathOnHost: "/fake/dev/infiniband/uverbs0",
      PathInContainer: "/dev/infiniband/uverbs0",
      CgroupPermissions: "rwm",
    },
  ]);
});

test("a volume that is missing is left out only where it is optional", () => {
  const volumes = [
    { source: "/a", target: "/in/a", optional: false, within: "/a" },
    { source: "/b", target: "/in/b", optional: true, within: "/b" },
  ];
  const mounted = (sources: [string, string][]) =>
    containerBody(job([], { volumes }), host({ sources: new Map(sources) })).HostConfig?.Mounts;
  expect(mounted([])).toEqual([{ Type: "bind", Source: "/a", Target: "/in/a" }]);
  expect(mounted([["/b", "/disk/b"]])).toContainEqual({ Type: "bind", Source: "/disk/b", Target: "/in/b" });
});

test("nothing starts that the control plane has sent no container for", () => {
  const { launch, ...rest } = job([]);
  expect(() => containerBody({ ...rest, launch: { ...launch, container: null } }, host())).toThrow("no image");
});

test("a container is given its host's folder for models, which its own values and volumes stand over", () => {
  const plain = job([], { volumes: [{ source: "/mnt/data", target: "/data", optional: false }] });
  const body = containerBody({ ...plain, env: { HF_TOKEN: "t" } }, host({ modelCache: "/var/lib/headrace/models/0" }));
  expect(body.Env).toEqual([
    "HF_HOME=/headrace/models/huggingface",
    "MODELSCOPE_CACHE=/headrace/models/modelscope",
    "HF_TOKEN=t",
  ]);
  expect(body.HostConfig?.Mounts).toEqual([
    { Type: "bind", Source: "/mnt/data", Target: "/data" },
    { Type: "bind", Source: "/var/lib/headrace/models/0", Target: "/headrace/models" },
  ]);
  expect(containerBody(job([]), host()).HostConfig).not.toHaveProperty("Mounts");
});
