import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hasOwnCache, ModelCache, ownerOf } from "./model-cache.ts";
import { PathSilent, pathLooks } from "./path-looks.ts";

let folder = "";
let cache: ModelCache;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "headrace-cache-"));
  cache = new ModelCache(join(folder, "models"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const uid = process.getuid?.() ?? 0;
const modeOf = (path: string | null) => (statSync(path ?? "").mode & 0o7777).toString(8);

describe("a place of a job's own", () => {
  it.each<[variables: string[], targets: string[], own: boolean]>([
    [["HF_HOME"], [], true],
    [["HF_HUB_CACHE"], [], true],
    [["HF_TOKEN", "MODEL_ID"], [], false],
    [[], ["/root/.cache/huggingface"], true],
    [[], ["/root/.cache"], true],
    [[], ["/mnt/models", "/data/cache"], false],
  ])("variables %j, volumes at %j: %s", (variables, targets, own) => {
    expect(hasOwnCache(variables, targets)).toBe(own);
  });
});

it("users are told apart as containers and images name them", () => {
  expect(["", "root", "0", "root:root", "1000:1000", "vllm"].map(ownerOf)).toEqual([
    { uid: 0 },
    { uid: 0 },
    { uid: 0 },
    { uid: 0 },
    { uid: 1000 },
    { name: "vllm" },
  ]);
});

it("each user has a folder of its own that nobody else on the host may enter", async () => {
  const own = await cache.folderOf({ uid });
  expect([own, modeOf(own)]).toEqual([join(cache.path, String(uid)), "700"]);
  expect(statSync(own ?? "").uid).toBe(uid);
  // Again the same, with what is in it.
  writeFileSync(join(own ?? "", "model"), "weights");
  expect(await cache.folderOf({ uid })).toBe(own);
  expect(statSync(join(own ?? "", "model")).size).toBe(7);
});

it.runIf(uid === 0)("a user with another id owns its folder", async () => {
  const found = await cache.folderOf({ uid: 1234 });
  expect([statSync(found ?? "").uid, modeOf(found)]).toEqual([1234, "700"]);
});

it("where it is not known who a user is on the host all may write within, and only the agent gets there", async () => {
  const [named, mapped] = [
    await cache.folderOf({ name: "../vllm" }),
    await cache.folderOf({ uid: 0 }, undefined, true),
  ];
  for (const found of [named, mapped]) {
    expect(modeOf(found)).toBe("1777");
    expect(modeOf(dirname(found ?? ""))).toBe("700");
    expect(dirname(dirname(found ?? ""))).toBe(cache.path);
  }
});

it("a folder that cannot be made, or used, is a warning and keeps no job from its start", async () => {
  writeFileSync(cache.path, "a file");
  expect(await cache.folderOf({ uid })).toBeNull();
  expect(cache.warnings).toEqual([expect.stringMatching(/^the model cache .*models cannot be used, so jobs download/)]);
  rmSync(cache.path);
  const refuse = () => {
    throw new Error("may not enter");
  };
  expect(await cache.folderOf({ uid }, refuse)).toBeNull();
  expect(cache.warnings.join()).toContain("may not enter");
  await cache.folderOf({ uid });
  expect(cache.warnings).toEqual([]);
});

it("its size is what its files take on the disk, however deep, and is not known at first", async () => {
  expect(cache.described()).toEqual({ path: cache.path, gib: null });
  await cache.measured();
  expect(cache.described()).toEqual({ path: cache.path, gib: 0 });
  const full = new ModelCache(cache.path);
  const own = await full.folderOf({ uid });
  writeFileSync(join(own ?? "", "weights"), Buffer.alloc(3 * 1024 * 1024, 1));
  expect(await full.measured()).toBeGreaterThanOrEqual(3 * 1024 * 1024);
});

it("on a file system that hangs keeps no job from starting, and is told and not measured until it answers", async () => {
  const hanging = Promise.withResolvers<void>();
  await expect(pathLooks.at(cache.path, () => hanging.promise, 1)).rejects.toThrow(PathSilent);
  expect(await cache.folderOf({ uid })).toBeNull();
  expect(cache.warnings).toEqual([
    `the model cache ${cache.path} cannot be used, so jobs download models for themselves: ` +
      `${cache.path} does not answer: the file system that is mounted there hangs`,
  ]);
  await cache.measured();
  expect(cache.bytes()).toBeNull();
  hanging.resolve();
  await expect.poll(() => cache.folderOf({ uid })).toBe(join(cache.path, String(uid)));
  expect(cache.warnings).toEqual([]);
  await cache.measured();
  expect(cache.bytes()).not.toBeNull();
});
