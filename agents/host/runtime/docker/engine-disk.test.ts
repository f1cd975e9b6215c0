import { expect, test } from "vitest";
import { diskWarning } from "./engine-disk.ts";

test.each([
  [41e9, 2e12, null],
  [39e9, 2e12, "the disk of the Docker engine has 39.0 GB left of 2000.0 GB (/docker)"],
  [3e9, 20e9, null],
  [1e9, 20e9, "the disk of the Docker engine has 1.0 GB left of 20.0 GB (/docker)"],
  [0, 20e9, "the disk of the Docker engine has 0 kB left of 20.0 GB (/docker)"],
])("of a disk with %d bytes left of %d is said %j", (free, bytes, said) => {
  const warning = diskWarning("/docker", free, bytes);
  expect(warning === null ? null : warning.split(";")[0]).toBe(said);
});
