import { expect, test } from "vitest";
import { PullProgress } from "./pull-progress.ts";

test("a pull is told by its layers and by the bytes that were fetched", () => {
  const progress = new PullProgress();
  progress.note({ id: "1", status: "Pulling from team/engine" });
  expect(progress.text()).toBe("");
  for (const id of ["a", "b", "c"]) progress.note({ id, status: "Pulling fs layer" });
  progress.note({ id: "a", status: "Already exists" });
  progress.note({ id: "b", status: "Downloading", progressDetail: { current: 1.5e9, total: 4e9 } });
  expect(progress.text()).toBe("1 of 3 layers, 1.5 GB fetched");
  progress.note({ id: "b", status: "Downloading", progressDetail: { current: 4e9, total: 4e9 } });
  progress.note({ id: "b", status: "Extracting", progressDetail: { current: 1e6, total: 4e9 } });
  expect(progress.text()).toBe("1 of 3 layers, 4.0 GB fetched");
  progress.note({ id: "b", status: "Pull complete" });
  progress.note({ status: "Digest: sha256:ab" });
  expect(progress.text()).toBe("2 of 3 layers, 4.0 GB fetched");
});
