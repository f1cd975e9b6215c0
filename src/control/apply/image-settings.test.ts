import { expect, it } from "vitest";
import { NO_IMAGES } from "../../adapters/index.ts";
import { imageSettings, imageVariables } from "./image-settings.ts";

it("reads what is set, and writes it as it was", () => {
  const env = { HEADRACE_IMAGE_BASE: "python:3.12", HEADRACE_IMAGE_CUDA: "r.example/cuda:12-{python}" };
  const settings = imageSettings({ ...env, HEADRACE_IMAGE_DOCKER: "" });
  expect(settings).toEqual({ ...NO_IMAGES, base: "python:3.12", cuda: "r.example/cuda:12-{python}" });
  expect(imageVariables(settings)).toEqual(env);
});

it("names the variable that is no image", () => {
  expect(() => imageSettings({ HEADRACE_IMAGE_PYTHON: "python 3" })).toThrow(
    'HEADRACE_IMAGE_PYTHON is "python 3", which is no container image: write name:tag.',
  );
});
