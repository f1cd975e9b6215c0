import { execFileSync } from "node:child_process";
import { chmodSync, linkSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { extract, list } from "tar";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FILE_BYTES_MAX, FILES_PER_SERVICE_MAX } from "../wire/index.ts";
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

function kindsIn(archive: Uint8Array): string[] {
  const kinds = new Set<string>();
  list({ sync: true, onReadEntry: (entry) => kinds.add(entry.type) }).end(Buffer.from(archive));
  return [...kinds];
}

function modesIn(archive: Uint8Array): Record<string, number | undefined> {
  const modes: Record<string, number | undefined> = {};
  list({ sync: true, onReadEntry: (entry) => (modes[entry.path] = entry.mode) }).end(Buffer.from(archive));
  return modes;
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

test("of modes only that a file is a program matters, so that another umask is not another archive", async () => {
  const before = await pack("app");
  chmodSync(join(folder, "app"), 0o700);
  chmodSync(join(folder, "app/a.txt"), 0o600);
  expect((await pack("app")).sha256).toBe(before.sha256);
  chmodSync(join(folder, "app/a.txt"), 0o4755);
  const { archive, sha256 } = await pack("app");
  expect(sha256).not.toBe(before.sha256);
  expect(modesIn(archive)).toMatchObject({ "app/": 0o755, "app/a.txt": 0o755, "app/b.txt": 0o644 });
});

test("names that mean something to tar, a shell or a terminal are names like any other", async () => {
  const odd = ["@b.txt", "-C", "a\nb", "a\\b", "é ü", "x".repeat(200), "*", "..."];
  mkdirSync(join(folder, "@app"));
  for (const name of odd) writeFileSync(join(folder, "@app", name), name);
  const { archive } = await pack("@app");
  expect(namesIn(archive)).toEqual(["@app/", ...odd.map((name) => `@app/${name}`).sort()]);
  const out = join(folder, "out");
  mkdirSync(out);
  extract({ cwd: out, sync: true, strict: true }).end(Buffer.from(archive));
  execFileSync("diff", ["-r", join(folder, "@app"), join(out, "@app")]);
  writeFileSync(join(folder, "@one"), "1");
  expect(namesIn((await pack("@one")).archive)).toEqual(["@one"]);
});

test("two names of one file travel as two files", async () => {
  linkSync(join(folder, "app/a.txt"), join(folder, "app/again.txt"));
  const { archive } = await pack("app");
  expect(kindsIn(archive)).toEqual(["Directory", "File"]);
  expect(namesIn(archive)).toContain("app/again.txt");
});

test("the folder of the configuration itself travels with its contents where the commands start", async () => {
  expect(namesIn((await pack(".")).archive)).toEqual([
    "./",
    "./app/",
    "./app/a.txt",
    "./app/b.txt",
    "./app/sub/",
    "./app/sub/c.txt",
  ]);
  expect(namesIn((await pack("app", "~")).archive)[1]).toBe("./a.txt");
});

test("what is missing, too large, too many or cannot be read is named", async () => {
  await expect(pack("none.txt")).rejects.toThrow("names none.txt under `files`, which is not there");
  await expect(pack("/dev/null")).rejects.toThrow(
    "names /dev/null under `files`, which is neither a file nor a folder",
  );
  writeFileSync(join(folder, "big"), new Uint8Array(FILE_BYTES_MAX + 1));
  await expect(pack("big")).rejects.toThrow(/big has \d+ bytes or more; 4194304 are the most/);
  const many = Array.from({ length: FILES_PER_SERVICE_MAX + 1 }, () => ({ localPath: "app", path: "app" }));
  await expect(packFiles(many, folder)).rejects.toThrow("names 17 files and folders under `files`; at most 16");
});
