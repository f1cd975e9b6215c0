import { expect, test } from "vitest";
import { folderBelow } from "./files.ts";

test.each([
  ["/work", "app", "/work"],
  ["/work", "./deep/app/", "/work/deep"],
  ["/work", "/srv/app", "/srv"],
  ["/work", "/work", "/"],
  ["/work", "../app", "/"],
  ["/work", ".", "/work"],
  ["/root", "", "/root"],
  ["/", "./", "/"],
])("in a container with %s an archive for %j is unpacked into %s", (start, path, folder) => {
  expect(folderBelow(start, path)).toBe(folder);
});
