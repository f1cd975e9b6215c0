import { expect, test } from "vitest";
import { imagesToRemove, type KnownImage } from "./image-cleanup.ts";

const image = (name: string, bytes: number, lastUsedAt: number, inUse = false): KnownImage => {
  return { name, bytes, lastUsedAt, inUse };
};

test("unused images are kept up to the bound, the last used ones first", () => {
  const images = [image("old", 40, 1), image("new", 40, 3), image("middle", 40, 2)];
  expect(imagesToRemove(images, 120)).toEqual([]);
  expect(imagesToRemove(images, 100)).toEqual(["old"]);
  expect(imagesToRemove(images, 0)).toEqual(["new", "middle", "old"]);
});

test("what a container is made of is kept, and does not count", () => {
  expect(imagesToRemove([image("used", 1_000, 1, true), image("unused", 40, 2)], 50)).toEqual([]);
  expect(imagesToRemove([image("used", 1_000, 1, true)], 0)).toEqual([]);
});
