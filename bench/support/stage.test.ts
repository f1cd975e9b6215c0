import { expect, test } from "vitest";
import { stage } from "./stage.ts";

test("a stage that hangs is named", async () => {
  await expect(stage("waiting", 0.01, () => new Promise(() => {}))).rejects.toThrow('"waiting" has not ended');
});

test("a stage that ends, or fails, does so by itself", async () => {
  expect(await stage("works", 10, async () => 7)).toBe(7);
  await expect(stage("fails", 10, () => Promise.reject(new Error("why")))).rejects.toThrow("why");
});
