import { spawnSync } from "node:child_process";
import { chownSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readContainerHost } from "../../agents/host/runtime/docker/container-host.ts";
import { containerBody } from "../../agents/host/runtime/docker/container-spec.ts";
import { openDockerRuntime } from "../../agents/host/runtime/docker/docker-runtime.ts";
import type { Runtime } from "../../agents/host/runtime/types.ts";
import { Dockerd } from "../support/dockerd.ts";
import { inventoryOf } from "../support/fake-hosts.ts";
import { mi300xHost } from "../support/fake-sysfs/mi300x.ts";
import { dockerLaunch, importImage, SMALL_IMAGE } from "./docker-runtime/launch.ts";
import { spec, texts, untilEnded } from "./runtime-help.ts";

/** The group of the render nodes; no image here knows it. */
const RENDER = 4_106;

let dockerd: Dockerd;
let folder = "";
let runtime: Runtime;

/** A host whose devices are nodes under another folder, made here; each is a /dev/null. */
beforeAll(async () => {
  dockerd = await Dockerd.start();
  await importImage(dockerd, SMALL_IMAGE, { shell: true });
  folder = realpathSync(mkdtempSync(join(tmpdir(), "headrace-devices-")));
  const tree = mi300xHost();
  const found = await inventoryOf(tree, "eno1");
  const dev = join(folder, "dev");
  for (const path of tree.paths().filter((name) => name.startsWith("dev/"))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    expect(spawnSync("mknod", ["-m", "660", join(folder, path), "c", "1", "3"]).status).toBe(0);
    if (path.includes("render")) chownSync(join(folder, path), 0, RENDER);
  }
  runtime = await openDockerRuntime({
    dataDir: join(folder, "data"),
    socket: dockerd.socket,
    expected: true,
    body: async (started) => {
      const volumes = started.launch.container?.volumes ?? [];
      return containerBody(started, await readContainerHost(volumes, found, [], { dev, proc: "/proc" }, null));
    },
  });
});

afterAll(async () => {
  for (const { job } of (await runtime?.list()) ?? []) await runtime.remove(job);
  await runtime?.close();
  await dockerd?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

function job(id: string, script: string, container: Parameters<typeof dockerLaunch>[1]) {
  const plain = spec(id, script);
  const launch = { ...plain.launch, ...dockerLaunch(folder, { volumes: [], ...container }) };
  return { ...plain, accelerators: [2, 3], launch };
}

test("a job has the nodes of its two accelerators and of their NICs, in the groups that they belong to", async () => {
  const script = "cd /dev && ls -d kfd dri/* infiniband/* && id -G && grep ^Seccomp: /proc/self/status";
  await runtime.start(job("a", script, {}));
  const end = (await untilEnded(runtime, "a")).end;
  const lines = await texts(runtime, "a");
  expect(lines.join("\n"), JSON.stringify(end)).toContain("kfd");
  const nodes = lines.filter((line) => /^(kfd|dri|infiniband)/.test(line));
  expect(nodes).toEqual([
    "dri/renderD144",
    "dri/renderD152",
    "infiniband/rdma_cm",
    "infiniband/uverbs2",
    "infiniband/uverbs3",
    "kfd",
  ]);
  expect(lines.find((line) => /^\d+( \d+)*$/.test(line))?.split(" ")).toContain(String(RENDER));
  expect(lines).toContain("Seccomp:\t0");
  expect(end?.exitCode).toBe(0);
});

test("a folder is mounted as what it really is, and one that leads out of what is allowed is not", async () => {
  mkdirSync(join(folder, "models/v1"), { recursive: true });
  writeFileSync(join(folder, "models/v1/weights"), "heavy");
  symlinkSync(join(folder, "models/v1"), join(folder, "models/newest"));
  symlinkSync("/", join(folder, "models/out"));
  const within = join(folder, "models");
  const volume = (name: string) => ({ source: join(within, name), target: "/models", optional: false, within });

  await runtime.start(job("b", "cat /models/weights", { volumes: [volume("newest")] }));
  expect((await untilEnded(runtime, "b")).end?.exitCode).toBe(0);
  expect(await texts(runtime, "b")).toContain("heavy");
  await expect(runtime.start(job("c", "ls /models", { volumes: [volume("out")] }))).rejects.toThrow(
    `${join(within, "out")} leads to /, which is not in ${within}`,
  );
});
