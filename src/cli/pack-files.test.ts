import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { list } from "tar";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FILE_BYTES_MAX } from "../wire/index.ts";
import { packFiles } from "./pack-files.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pack-"));
  mkdirSync(join(folder, "app/sub"), { recursive: true });
  mkdirSync(join(folder, "app/.git"));
  writeFileSync(join(folder, "app/.git/HEAD"), "ref");
  writeFileSync(join(folder, "app/b.txt"), "b");
  writeFileSync(join(folder, "app/a.txt"), "a");
  writeFileSync(join(folder, "app/sub/c.txt"), "c");
});
afterEach(() => rmSync(folder, { recursive: true }));

const pack = async (localPath: string, path = localPath) => (await packFiles([{ localPath, path }], folder))[0]!;

function namesIn(archive: Uint8Array): string[] {
  const names: string[] = [];
  const reading = list({ sync: true, onReadEntry: (entry) => names.push(entry.path) });
  reading.end(Buffer.from(archive));
  return names;
}

test("a folder is packed under the name it gets, in order and without what git keeps", async () => {
  expect(namesIn((await pack("app", "/srv/code")).archive)).toEqual([
    "code/",
    "code/a.txt",
    "code/b.txt",
    "code/sub/",
    "code/sub/c.txt",
  ]);
  expect(namesIn((await pack("app/a.txt", "conf/x")).archive)).toEqual(["x"]);
});

test("the same contents are the same archive, whenever they were written", async () => {
  const before = await pack("app");
  utimesSync(join(folder, "app/a.txt"), 1, 1);
  expect((await pack("app")).sha256).toBe(before.sha256);
  writeFileSync(join(folder, "app/a.txt"), "x");
  expect((await pack("app")).sha256).not.toBe(before.sha256);
});

test("a link is what it points at, and a circle of them ends in words", async () => {
  symlinkSync(join(folder, "app/a.txt"), join(folder, "app/link"));
  expect(namesIn((await pack("app")).archive)).toContain("app/link");
  symlinkSync(join(folder, "app"), join(folder, "app/again"));
  await expect(pack("app")).rejects.toThrow(/app holds more than 2000 files, or folders more than 32 deep/);
});

test("what is missing or too large is named", async () => {
  await expect(pack("none.txt")).rejects.toThrow("names none.txt under `files`, which is not there");
  writeFileSync(join(folder, "big"), new Uint8Array(FILE_BYTES_MAX + 1));
  await expect(pack("big")).rejects.toThrow(/big has \d+ bytes or more; 4194304 are the most/);
});
