import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PathSilent, pathLooks } from "../path-looks.ts";
import { type DiskLevel, DiskWatch, diskLevel, diskWarning } from "./disks.ts";

test.each<[left: number, of: number, level: DiskLevel]>([
  [500e9, 4e12, "ok"],
  [41e9, 4e12, "ok"],
  [39e9, 4e12, "low"],
  [2.1e9, 4e12, "low"],
  [1.9e9, 4e12, "full"],
  // Parts count where they are less: a tenth, and a fiftieth.
  [11e9, 100e9, "ok"],
  [9e9, 100e9, "low"],
  [1.9e9, 50e9, "low"],
  [0.9e9, 50e9, "full"],
])("with %d bytes left of %d a disk is %s", (left, of, level) => {
  expect(diskLevel(left, of, "ok")).toBe(level);
});

test("it is so until there is a quarter more room than when it came to be so", () => {
  const levels = (first: DiskLevel, left: number[]) => {
    let level = first;
    return left.map((free) => {
      level = diskLevel(free, 4e12, level);
      return level;
    });
  };
  expect(levels("ok", [41e9, 39e9, 41e9, 49e9, 51e9, 41e9])).toEqual(["ok", "low", "low", "low", "ok", "ok"]);
  expect(levels("low", [1.9e9, 2.1e9, 2.4e9, 2.6e9, 49e9, 51e9])).toEqual(["full", "full", "full", "low", "low", "ok"]);
});

test("the warning names the place, the limit and what helps, and does not change with each byte", () => {
  const disk = { path: "/var/lib/docker", holds: ["images" as const], gib: 3_725.29, level: "low" as const };
  expect(diskWarning({ ...disk, level: "ok" })).toBeNull();
  expect(diskWarning(disk)).toBe(
    "the disk of /var/lib/docker (the Docker engine's images and containers) is nearly full: less than 40 GB of its " +
      "4000 GB are left; `docker system df` says what takes it, `docker image prune -a` removes images that nothing uses",
  );
  expect(diskWarning({ ...disk, holds: ["data", "models"], level: "full" })).toBe(
    "the disk of /var/lib/docker (the agent's data, downloaded models) is full: less than 2 GB of its 4000 GB are left; " +
      "look what fills it; remove models that nothing uses any more",
  );
});

test("places on one file system are one disk, and what is not there is none", async () => {
  const folder = mkdtempSync(join(tmpdir(), "headrace-disks-"));
  const disks = await new DiskWatch().look({ data: folder, models: join(folder, "none"), images: folder });
  expect(disks).toEqual([
    { path: folder, holds: ["data", "images"], gib: expect.any(Number), level: expect.stringMatching(/ok|low|full/) },
  ]);
  expect(disks[0]?.gib).toBeGreaterThan(0);
  rmSync(folder, { recursive: true });
});

test("a place on a file system that hangs is left out at once, and looked at again when it answers", async () => {
  const folder = mkdtempSync(join(tmpdir(), "headrace-disks-"));
  const hanging = Promise.withResolvers<void>();
  await expect(pathLooks.at(folder, () => hanging.promise, 1)).rejects.toThrow(PathSilent);
  const watch = new DiskWatch();
  const places = { data: tmpdir(), models: folder, images: null };
  expect((await watch.look(places))[0]?.holds).toEqual(["data"]);
  // Also where so many hang that no others are looked at.
  await expect(pathLooks.at(`${folder}/other`, () => hanging.promise, 1)).rejects.toThrow(PathSilent);
  expect((await watch.look({ ...places, images: "/" }))[0]?.holds).toEqual(["data"]);
  hanging.resolve();
  await expect.poll(async () => (await watch.look(places))[0]?.holds).toEqual(["data", "models"]);
  rmSync(folder, { recursive: true });
});
