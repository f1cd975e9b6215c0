import { expect, it } from "vitest";
import { groupSpec } from "../../test/support/specs.ts";
import type { GroupSpec } from "../spec/types.ts";
import { type ImageSettings, imagesFor, NO_IMAGES } from "./images.ts";

const settings = { base: "base:1", python: "python:{python}", cuda: "cuda:{python}-devel", docker: "docker:dind" };

function imageOf(over: Partial<GroupSpec>, of: ImageSettings = settings): string | undefined {
  return imagesFor([groupSpec("g", ["a"], over)], of).g;
}

it("gives each group the image for what it asks, and none to one that names its own", () => {
  expect(imageOf({})).toBe("base:1");
  expect(imageOf({ python: "3.11" })).toBe("python:3.11");
  expect(imageOf({ nvcc: true })).toBe("cuda:3.12-devel");
  expect(imageOf({ nvcc: true, python: "3.10" })).toBe("cuda:3.10-devel");
  expect(imageOf({ docker: true, privileged: true })).toBe("docker:dind");
  expect(imageOf({ image: "mine", nvcc: true })).toBeUndefined();
});

it("gives no image in place of one that is not set", () => {
  expect(imageOf({}, { ...NO_IMAGES, python: "p" })).toBeUndefined();
  expect(imageOf({ nvcc: true }, { ...settings, cuda: null })).toBeUndefined();
});
