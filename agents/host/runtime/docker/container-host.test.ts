import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ModelCache } from "../../model-cache.ts";
import { PathSilent, pathLooks } from "../../path-looks.ts";
import type { StartSpec } from "../types.ts";
import { findModelCache, hasNvidiaToolkit, readDevices, readMemlockMax, resolveSources } from "./container-host.ts";

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "headrace-host-")));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text = ""): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

test("the nodes that a container may be given are those that are there, with their groups", async () => {
  for (const node of ["kfd", "sda", "dri/renderD128", "dri/card0", "infiniband/uverbs1", "infiniband/umad0"]) {
    write(`dev/${node}`);
  }
  const gid = process.getgid?.() ?? 0;
  expect([...(await readDevices(join(root, "dev")))]).toEqual([
    ["kfd", gid],
    ["dri/renderD128", gid],
    ["infiniband/uverbs1", gid],
  ]);
  expect(await readDevices(join(root, "nowhere"))).toEqual(new Map());
});

test("NVIDIA's toolkit is there when the engine has its runtime, or the host its program", async () => {
  const hook = join(root, "hook");
  expect(await hasNvidiaToolkit(["runc"], [hook])).toBe(false);
  expect(await hasNvidiaToolkit(["runc", "nvidia"], [hook])).toBe(true);
  expect(await hasNvidiaToolkit(["runc"], [write("hook")])).toBe(true);
});

describe("how much memory an engine may let a container lock", () => {
  const limits = (soft: string, hard: string) =>
    `Limit                     Soft Limit           Hard Limit           Units\nMax locked memory         ${soft.padEnd(20)} ${hard.padEnd(20)} bytes\n`;
  function engine(capabilities: string, soft: string, hard: string): Promise<number | null> {
    write("proc/77/status", `Name:\tdockerd\nCapEff:\t${capabilities}\n`);
    write("proc/77/limits", limits(soft, hard));
    return readMemlockMax(join(root, "proc"), write("docker.pid", "77\n"));
  }

  test("is anything when it may raise limits, or has none", async () => {
    expect(await engine("000001ffffffffff", "65536", "65536")).toBeNull();
    expect(await engine("000001fffeffffff", "unlimited", "unlimited")).toBeNull();
  });

  test("is its own hard limit when it may not", async () => {
    expect(await engine("000001fffeffffff", "8192", "8388608")).toBe(8_388_608);
  });

  test("is left for it to say when nothing is known of its process", async () => {
    expect(await readMemlockMax(join(root, "proc"), join(root, "docker.pid"))).toBeNull();
    write("docker.pid", "12345");
    expect(await readMemlockMax(join(root, "proc"), join(root, "docker.pid"))).toBeNull();
  });
});

describe("the sources of volumes", () => {
  const volume = (source: string, within: string) => ({
    source: join(root, source),
    target: "/in",
    optional: false,
    within: within === "/" ? "/" : join(root, within),
  });

  test("are taken for what they really are, and those that are missing for nothing", async () => {
    write("models/llama/weights");
    symlinkSync(join(root, "models/llama"), join(root, "models/newest"));
    const found = await resolveSources([volume("models/newest", "models"), volume("models/none", "models")]);
    expect([...found]).toEqual([[join(root, "models/newest"), join(root, "models/llama")]]);
  });

  test("may not lead out of what is allowed, also not to a name that begins alike", async () => {
    write("models-2/weights");
    mkdirSync(join(root, "models"));
    symlinkSync(join(root, "models-2"), join(root, "models/out"));
    await expect(resolveSources([volume("models/out", "models")])).rejects.toThrow(
      `${join(root, "models/out")} leads to ${join(root, "models-2")}, which is not in ${join(root, "models")}`,
    );
    expect((await resolveSources([volume("models/out", "/")])).size).toBe(1);
  });

  test("are said to be on a file system that hangs, which is another thing than not to be there", async () => {
    const source = write("models/weights");
    const hanging = Promise.withResolvers<void>();
    await expect(pathLooks.at(source, () => hanging.promise, 1)).rejects.toThrow(PathSilent);
    const found = resolveSources([volume("models/weights", "/")]);
    await expect(found).rejects.toThrow(`${source} does not answer: the file system that is mounted there hangs`);
    hanging.resolve();
    await expect.poll(async () => (await resolveSources([volume("models/weights", "/")])).size).toBe(1);
  });

  test("may be links to what is allowed under another name", async () => {
    write("disk/models/weights");
    symlinkSync(join(root, "disk/models"), join(root, "models"));
    expect((await resolveSources([volume("models/weights", "models")])).size).toBe(1);
  });
});

describe("the folder for models that a container is given", () => {
  type Launch = Pick<StartSpec["launch"], "env" | "container">;
  const launch = (over: Partial<NonNullable<Launch["container"]>> = {}, env: Launch["env"] = {}): Launch => {
    const container = { image: "i", registryAuth: null, command: { kind: "shell" as const }, user: null };
    return { env, container: { ...container, privileged: false, shmBytes: null, volumes: [], ...over } };
  };
  const image = { variables: ["PATH"], user: "" };
  const found = async (wanted: Launch, of = image, mapped = false) => {
    const folder = await findModelCache(new ModelCache(root), wanted, of, mapped);
    return folder === null ? null : folder.slice(root.length + 1);
  };

  test("is that of the user whom its service names, or its image", async () => {
    const own = process.getuid?.() ?? 0;
    expect(await found(launch({ user: `${own}:7` }))).toBe(String(own));
    expect(await found(launch({ user: "vllm" }))).toBe("user-vllm/shared");
    expect(await found(launch(), { ...image, user: "app" })).toBe("user-app/shared");
    // Users of containers are others where the engine maps them.
    expect(await found(launch({ user: String(own) }), image, true)).toBe(`container-${own}/shared`);
  });

  test("is none where the service, its volumes or its image have a place of their own, or the host has no folder", async () => {
    const volumes = [{ source: "/mnt/hf", target: "/root/.cache/huggingface", optional: false }];
    expect(await found(launch({ volumes }))).toBeNull();
    expect(await found(launch({}, { HF_HOME: "/mine" }))).toBeNull();
    expect(await found(launch(), { ...image, variables: ["HF_HUB_CACHE"] })).toBeNull();
    expect(await findModelCache(null, launch(), image, false)).toBeNull();
    expect(await findModelCache(new ModelCache(root), launch(), null, false)).toBeNull();
  });
});
