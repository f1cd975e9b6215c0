import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { missingParts } from "./system-packages.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "headrace-packages-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function install(program: string, says: string) {
  writeFileSync(join(folder, program), `#!/bin/sh\necho '${says}'\n`, { mode: 0o755 });
}

it("names the package of each program that is missing, and what it is for", () => {
  const missing = missingParts(folder);
  expect(missing.flatMap((part) => part.packages)).toEqual([
    "iproute2",
    "util-linux",
    "nftables",
    "python3",
    "python3-venv",
  ]);
  for (const part of missing) expect(part.purpose).not.toBe("");
});

it("asks for nothing when all is there", () => {
  install("ip", "");
  install("unshare", "");
  install("nft", "");
  install("python3", "3 11 1");
  expect(missingParts(folder)).toEqual([]);
});

it("takes a Python that cannot make environments for missing", () => {
  install("ip", "");
  install("unshare", "");
  install("nft", "");
  install("python3", "3 11 0");
  expect(missingParts(folder).flatMap((part) => part.packages)).toContain("python3-venv");
});
