import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sealingKeys } from "./key.ts";

const hex = (fill: string) => fill.repeat(32);
const bytes = (fill: number) => new Uint8Array(32).fill(fill);

let root: string;
let dataDir: string;
let keyFile: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "headrace-key-"));
  dataDir = join(root, "data");
  keyFile = join(root, "config", "headrace", "key");
  await mkdir(dataDir);
});

afterEach(() => rm(root, { recursive: true }));

const fromFile = () => sealingKeys({ key: null, keyFile, dataDir });

describe("the key file", () => {
  test("is made on first start, for its owner alone, and read from then on", async () => {
    const first = await fromFile();
    expect(first.map((key) => key.length)).toEqual([32]);
    expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
    expect((await stat(join(root, "config", "headrace"))).mode & 0o777).toBe(0o700);
    expect(await readdir(join(root, "config", "headrace"))).toEqual(["key"]);
    expect(await fromFile()).toEqual(first);
  });

  test("of servers that start at once all get the one key", async () => {
    const all = await Promise.all(Array.from({ length: 8 }, fromFile));
    expect(new Set(all.map(([key]) => Buffer.from(key).toString("hex"))).size).toBe(1);
    expect(await readdir(join(root, "config", "headrace"))).toEqual(["key"]);
  });

  test("holds one key a line, the current one first", async () => {
    await fromFile();
    await writeFile(keyFile, `${hex("02")}\n\n${Buffer.from(bytes(1)).toString("base64")}\n`);
    expect(await fromFile()).toEqual([bytes(2), bytes(1)]);
  });

  test.each([0o640, 0o604, 0o620])("that others may touch (%o) is refused, and how to mend it said", async (mode) => {
    await fromFile();
    await chmod(keyFile, mode);
    await expect(fromFile()).rejects.toThrowError(`(mode 0${mode.toString(8)}). Run: chmod 600 '${keyFile}'`);
  });

  test("in the data folder is refused, by whatever way it gets there", async () => {
    await symlink(dataDir, join(root, "elsewhere"));
    for (const inside of [join(dataDir, "key"), join(dataDir, "sub", "key"), join(root, "elsewhere", "key")]) {
      await expect(sealingKeys({ key: null, keyFile: inside, dataDir })).rejects.toThrowError(
        `The key file ${inside} lies in the data folder ${dataDir}`,
      );
    }
    // A neighbour whose name begins the same is not inside.
    await expect(sealingKeys({ key: null, keyFile: join(root, "data-key", "key"), dataDir })).resolves.toHaveLength(1);
    const elsewhere = { key: null, keyFile: join(root, "remote", "key"), dataDir: join(root, "not-there") };
    await expect(sealingKeys(elsewhere)).resolves.toHaveLength(1);
  });

  test.each([
    ["empty", ""],
    ["a word", "hunter2"],
    ["too short", Buffer.alloc(31).toString("base64")],
  ])("with no key in it (%s) is refused without showing what it holds", async (_, text) => {
    await fromFile();
    await writeFile(keyFile, text);
    const refused = await fromFile().catch((error: Error) => error);
    expect(refused).toMatchObject({ name: "StartError", message: expect.stringContaining("openssl rand -base64 32") });
    if (text) expect(String(refused)).not.toContain(text);
  });

  test("that is something else is refused", async () => {
    await mkdir(keyFile, { recursive: true });
    await expect(fromFile()).rejects.toThrowError(`${keyFile} is not a key file.`);
  });

  test("whose folder cannot be made is refused with another way", async () => {
    await writeFile(join(root, "config"), "");
    await expect(fromFile()).rejects.toThrowError(/cannot be used \(.*\)\. Give another with HEADRACE_KEY_FILE/);
  });
});

describe("HEADRACE_KEY", () => {
  test("takes the file's place: several keys, in hex or base64, and no file is made", async () => {
    const key = `${hex("0a")}, ${Buffer.from(bytes(255)).toString("base64url")}`;
    expect(await sealingKeys({ key, keyFile, dataDir })).toEqual([bytes(10), bytes(255)]);
    await expect(readFile(keyFile)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("that is malformed is refused without showing it", async () => {
    const refused = await sealingKeys({ key: "hunter2", keyFile, dataDir }).catch((error: Error) => error);
    expect(refused).toMatchObject({
      message: expect.stringMatching(/^HEADRACE_KEY holds something that is not a key/),
    });
    expect(String(refused)).not.toContain("hunter2");
  });
});
