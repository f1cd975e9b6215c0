import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ensurePython } from "../../scripts/python.ts";
import { ensureDockerd } from "../support/dockerd.ts";
import { runInNamespaces } from "../support/in-namespaces.ts";
import type { AskedContainer } from "../support/lenient-engine.ts";
import type { ContainersResult, ServedInContainers } from "./namespaces/containers.ts";

const LIMIT_MS = 400_000;

const folder = mkdtempSync(join(tmpdir(), "headrace-containers-"));
let result: ContainersResult;

beforeAll(async () => {
  const { bin } = await ensurePython();
  // Here, since nothing can be fetched from within.
  ensureDockerd();
  result = runInNamespaces<ContainersResult>("test/e2e/namespaces/containers.ts", [folder, bin], LIMIT_MS);
}, LIMIT_MS + 10_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("of all ports of a host whose agent runs a container, those of the container alone are open", () => {
  const { open, listeners } = result.served["pd-smg.yml"]?.sockets ?? {};
  expect(open?.length).toBeGreaterThan(0);
  expect([...new Set(listeners?.map(({ port }) => port))].sort()).toEqual(expect.arrayContaining(open ?? []));
  for (const { protocol, port, commands } of listeners ?? []) {
    expect([protocol, port, commands]).toEqual(["tcp", port, [expect.stringMatching(/sglang\.launch_server|\bsmg\b/)]]);
  }
});

const AMD_DEVICES = ["/dev/kfd", "/dev/dri/renderD128", "/dev/infiniband/uverbs0", "/dev/infiniband/rdma_cm"];

const each = (name: string, from: number, step: number) =>
  Array.from({ length: 8 }, (_, index) => `${name}${from + index * step}`);
const WHOLE_AMD_HOST = [
  "/dev/kfd",
  ...each("/dev/dri/renderD", 128, 8),
  ...each("/dev/infiniband/uverbs", 0, 1),
  "/dev/infiniband/rdma_cm",
];

/** Images and devices of the containers, by the order of the hosts. */
const WANTED: Record<string, [image: string, devices: string[]][]> = {
  // It names no vendor, so that any accelerator will do: the first of the hosts that fit has AMD's.
  "sglang-service.yml": [["lmsysorg/sglang:latest", AMD_DEVICES]],
  "sglang-service-amd.yml": [["lmsysorg/sglang:v0.5.5.post3-rocm700-mi30x", AMD_DEVICES]],
  "pd-smg.yml": [
    ["lmsysorg/sglang:v0.5.10.post1", []],
    ["lmsysorg/sglang:v0.5.10.post1", ["nvidia 0"]],
    ["lmsysorg/sglang:v0.5.10.post1", ["nvidia 0"]],
  ],
  // Its router has no accelerator; the others have a host each, with all of its devices.
  "pd-smg-amd.yml": [
    ["rocm/sgl-dev:v0.5.10.post1-rocm720-mi30x-20260427", WHOLE_AMD_HOST],
    ["rocm/sgl-dev:v0.5.10.post1-rocm720-mi30x-20260427", WHOLE_AMD_HOST],
    ["rocm/sgl-dev:v0.5.10.post1-rocm720-mi30x-20260427", []],
  ],
  // Its router is generated, and runs in the server's own image.
  "pd-service-router.yml": [
    ["headrace/base:1", []],
    ["lmsysorg/sglang:latest", ["nvidia 0"]],
    ["lmsysorg/sglang:latest", ["nvidia 0"]],
  ],
};

describe.each(Object.entries(WANTED))("%s, unchanged, on hosts with Docker engines", (file, wanted) => {
  const served = () => result.served[file] as ServedInContainers;

  test("becomes ready, and answers a streamed chat completion", () => {
    const { apply, answer } = served();
    expect(apply.code, apply.output).toBe(0);
    expect(apply.output).not.toContain("hf-secret-value");
    expect(answer).toMatchObject({ status: 200, whole: true });
    expect(answer.chunks).toBeGreaterThan(1);
  });

  test("runs in containers of its images with the devices of the accelerators it asked for, and nowhere else", () => {
    expect(served().containers.map(({ image, devices }) => [image, devices])).toEqual(wanted);
  });

  test("leaves no container behind when it is stopped and deleted", () => {
    const { stop, delete: deleted, leftOver } = served();
    expect([stop.code, deleted.code], stop.output + deleted.output).toEqual([0, 0]);
    expect(leftOver).toEqual([]);
  });
});

/** `WRITE_GOLDENS=1` writes what is meant to be new; read it. */
function matchesGolden(file: string, now: string): void {
  const path = join(import.meta.dirname, "../fixtures", file);
  if (process.env.WRITE_GOLDENS === "1") writeFileSync(path, now);
  expect(now).toBe(readFileSync(path, "utf8"));
}

describe("a privileged service that mounts a file of its hosts", () => {
  test("fits nowhere until its fleet allows both, and the plan says which lines of whose file do", () => {
    matchesGolden("troubles/not-allowed.txt", result.plan);
  });

  test("asks the engines for privileged containers with eight RDMA devices and the provider's library", () => {
    expect(result.cleared).toBe(result.asked.length);
    // One that the engine may not give all of what it asks for is asked for again with less; the first one is whole.
    const firsts = new Map(result.asked.toReversed().map((one) => [one.name, one]));
    const asked = [...firsts.values()].sort((one, other) => (serialOf(one) < serialOf(other) ? -1 : 1));
    const text = JSON.stringify(asked, null, 2)
      .replace(/headrace-[0-9a-f]+-/g, "headrace-AGENT-")
      .replace(/("headrace\.agent": ")[^"]+/g, "$1AGENT")
      .replace(/(_KEY=)[\w-]+/g, "$1SECRET")
      .replaceAll(folder, "FOLDER")
      .replace(/(amd-sglang-pd-service-\d)-\d+/g, "$1-N");
    matchesGolden("containers/engine.pd-smg-amd.json", `${text}\n`);
  });
});

/** Replicas are numbered as they are made. */
function serialOf({ name }: AskedContainer): string {
  return /-service-(\d-\d+)/.exec(name)?.[1] ?? "";
}
