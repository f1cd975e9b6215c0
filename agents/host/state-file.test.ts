import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { desiredJob } from "./decide/testing.ts";
import { EMPTY_MEMORY } from "./decide.ts";
import { StateFile } from "./state-file.ts";
import { findStatePlace } from "./state-place.ts";

let folder: string;
const state = (version: number) => ({
  hash: `hash-${version}`,
  desired: { project: "main", host: "h1", version, jobs: [desiredJob()] },
  memory: EMPTY_MEMORY,
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hr-state-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("the agent's state on disk", () => {
  it("is read back by the next agent of the same boot, and by nobody else", async () => {
    const path = join(folder, "inner", "state.json");
    await new StateFile(path, "boot-1").save(state(3));
    expect(await new StateFile(path, "boot-1").load()).toEqual(state(3));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it("is nothing after a reboot, when it is missing, damaged or of another format", async () => {
    const path = join(folder, "state.json");
    expect(await new StateFile(path, "boot-1").load()).toBeNull();
    await new StateFile(path, "boot-1").save(state(3));
    expect(await new StateFile(path, "boot-2").load()).toBeNull();
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace('"format":1', '"format":0'));
    expect(await new StateFile(path, "boot-1").load()).toBeNull();
    await writeFile(path, text.slice(0, text.length / 2));
    expect(await new StateFile(path, "boot-1").load()).toBeNull();
  });

  it("ends as the last of many saves, each of which waits for itself or a later one", async () => {
    const file = new StateFile(join(folder, "state.json"), "boot-1");
    await Promise.all(Array.from({ length: 50 }, (_, index) => file.save(state(index))));
    expect((await file.load())?.hash).toBe("hash-49");
    expect(await readdir(folder)).toEqual(["state.json"]);
  });

  it("fails a save that cannot be made and goes on with the next", async () => {
    await writeFile(join(folder, "inner"), "a file where a folder should be");
    const file = new StateFile(join(folder, "inner", "state.json"), "boot-1");
    await expect(file.save(state(1))).rejects.toThrow();
    await rm(join(folder, "inner"));
    await file.save(state(2));
    expect((await file.load())?.hash).toBe("hash-2");
  });
});

describe("its place", () => {
  it("is one for each data folder", async () => {
    const other = await mkdtemp(join(tmpdir(), "hr-state-"));
    const [one, two, again] = await Promise.all([folder, other, folder].map(findStatePlace));
    expect(one).toEqual(again);
    expect(one?.file).not.toBe(two?.file);
    await rm(other, { recursive: true });
  });
});
