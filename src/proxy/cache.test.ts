import { describe, expect, it } from "vitest";
import { Cache } from "./cache.ts";
import { Directory } from "./directory.ts";
import { World } from "./testing.ts";

describe("a cache", () => {
  it("asks once for many who wait, and again when the value has lived its life", async () => {
    let clock = 0;
    let asked = 0;
    const cache = new Cache<number>({ lifeMs: 10, staleMsMax: 0, max: 10, now: () => clock });
    const load = async () => ++asked;
    expect(await Promise.all([cache.get("a", load), cache.get("a", load), cache.get("a", load)])).toEqual([1, 1, 1]);
    clock = 9;
    expect(await cache.get("a", load)).toBe(1);
    clock = 10;
    expect(await cache.get("a", load)).toBe(2);
    clock = 12;
    expect(await cache.get("a", load, 3)).toBe(2);
    expect(await cache.get("a", load, 2)).toBe(3);
    expect(await cache.get("a", load, 0)).toBe(4);
  });

  it("forgets the oldest beyond its bound", async () => {
    const cache = new Cache<string>({ lifeMs: 10, staleMsMax: 0, max: 2, now: () => 0 });
    for (const key of ["a", "b", "c"]) await cache.get(key, async () => key);
    expect(await cache.get("b", async () => "asked again")).toBe("b");
    expect(await cache.get("a", async () => "asked again")).toBe("asked again");
  });

  it("asks again for what it is to forget, and does not keep an answer to what was asked before", async () => {
    const cache = new Cache<string>({ lifeMs: 10, staleMsMax: 0, max: 9, now: () => 0 });
    for (const key of ["a", "b"]) await cache.get(key, async () => "old");
    const { promise, resolve } = Promise.withResolvers<string>();
    const asked = cache.get("c", () => promise);
    cache.forget((key) => key !== "b");
    expect(await cache.get("a", async () => "new")).toBe("new");
    expect(await cache.get("b", async () => "new")).toBe("old");
    const since = Promise.withResolvers<string>();
    const waiting = [cache.get("c", () => since.promise)];
    resolve("old");
    expect(await asked).toBe("old");
    // The later question is still the one that others wait for, and its answer the one that is kept.
    waiting.push(cache.get("c", async () => "asked twice"));
    since.resolve("new");
    expect(await Promise.all(waiting)).toEqual(["new", "new"]);
    expect(await cache.get("c", async () => "asked twice")).toBe("new");
  });

  it("does not remember a failure", async () => {
    const cache = new Cache<string>({ lifeMs: 10, staleMsMax: 0, max: 2, now: () => 0 });
    await expect(cache.get("a", () => Promise.reject(new Error("away")))).rejects.toThrow("away");
    expect(await cache.get("a", async () => "back")).toBe("back");
  });
});

describe("the directory", () => {
  it("never goes back to an older commit", async () => {
    let clock = 0;
    const world = new World();
    const directory = new Directory(world, () => clock);
    world.serve("qwen", ["a"], { version: 7 });
    await directory.service("main", "qwen");
    world.serve("qwen", ["old"], { version: 6 });
    clock = 5_000;
    expect((await directory.service("main", "qwen"))?.version).toBe(7);
    world.serve("qwen", ["new"], { version: 8 });
    expect((await directory.service("main", "qwen", 0))?.version).toBe(8);
  });

  it("serves what it holds for a minute while the state cannot be read, but no permission", async () => {
    let clock = 0;
    const world = new World();
    const directory = new Directory(world, () => clock);
    world.serve("qwen", ["a"]);
    await directory.service("main", "qwen");
    expect(await directory.mayCall("main", "good")).toBe(true);
    world.failing = true;
    clock = 59_000;
    expect((await directory.service("main", "qwen"))?.service).toBe("qwen");
    await expect(directory.mayCall("main", "good")).rejects.toMatchObject({ status: 503, code: "unavailable" });
    clock = 61_000;
    await expect(directory.service("main", "qwen")).rejects.toMatchObject({ status: 503 });
  });

  it("believes a token for 2 s", async () => {
    let clock = 0;
    const world = new World();
    const directory = new Directory(world, () => clock);
    expect(await directory.mayCall("main", null)).toBe(false);
    expect(await directory.mayCall("main", "good")).toBe(true);
    expect(await directory.mayCall("main", "bad")).toBe(false);
    expect(await directory.mayCall("other", "good")).toBe(false);
    clock = 1_999;
    await directory.mayCall("main", "good");
    expect(world.asked.authorize).toBe(3);
    clock = 2_000;
    await directory.mayCall("main", "good");
    expect(world.asked.authorize).toBe(4);
  });

  it("asks again at once who may call a project's services, and of no other project", async () => {
    const world = new World();
    const directory = new Directory(world, () => 0);
    for (const project of ["main", "main-2"]) await directory.mayCall(project, "good");
    directory.forgetCallers("main");
    for (const project of ["main", "main-2"]) await directory.mayCall(project, "good");
    expect(world.asked.authorize).toBe(3);
  });
});
