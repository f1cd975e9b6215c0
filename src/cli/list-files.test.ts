import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { listFiles } from "./list-files.ts";

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "list-")));
  write("app/a.txt");
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(path: string, text = ""): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

const listed = (path = "app") => listFiles(join(folder, path), path);

describe("what is ignored stays here", () => {
  test("by the rules of the folder and of those below it, the nearest first", () => {
    write("app/.gitignore", "*.log\n/out/\n.env\n");
    for (const name of ["a.log", ".env", "out/x", "sub/out/x", "sub/b.log", "sub/keep.log"]) write(`app/${name}`);
    write("app/sub/.gitignore", "!keep.log\n");
    expect(listed()).toEqual({
      names: ["", ".gitignore", "a.txt", "sub", "sub/.gitignore", "sub/keep.log", "sub/out", "sub/out/x"],
      notes: [],
    });
  });

  test(".dstackignore goes before .gitignore, wherever the two lie", () => {
    write("app/.dstackignore", "!kept.bin\na.txt\n");
    write("app/sub/.gitignore", "*.bin\n");
    write("app/sub/kept.bin");
    write("app/sub/other.bin");
    expect(listed().names).toEqual(["", ".dstackignore", "sub", "sub/.gitignore", "sub/kept.bin"]);
  });

  test("by the folders around up to the root of the repository, and outside of one by none of them", () => {
    write(".gitignore", "*.txt\n");
    write("repository/.gitignore", "*.log\napp/here\n");
    for (const name of ["a.txt", "a.log", "here", "sub/here"]) write(`repository/app/${name}`);
    expect(listed("repository/app").names).toEqual(["", "a.log", "a.txt", "here", "sub", "sub/here"]);
    mkdirSync(join(folder, "repository/.git"));
    expect(listed("repository/app").names).toEqual(["", "a.txt", "sub", "sub/here"]);
  });

  test("but what the configuration itself names always travels", () => {
    write("app/.gitignore", "*\n");
    expect(listed("app/a.txt").names).toEqual([""]);
    expect(listed().names).toEqual([""]);
  });

  test("a list of names that is megabytes long is none", () => {
    write("app/.gitignore", "x\n".repeat(200_000));
    expect(() => listed()).toThrow(".gitignore has more than 262144 bytes; it is no list of names to ignore");
  });
});

describe("a link", () => {
  test("counts as what it leads to", () => {
    write("app/sub/b.txt");
    symlinkSync("sub", join(folder, "app/linked"));
    expect(listed()).toEqual({ names: ["", "a.txt", "linked", "linked/b.txt", "sub", "sub/b.txt"], notes: [] });
    symlinkSync("app", join(folder, "itself"));
    expect(listed("itself").names).toContain("linked/b.txt");
    expect(listed("itself").notes).toEqual([]);
  });

  test("that leads out of the folder is said", () => {
    write("secrets/key");
    symlinkSync("../secrets/key", join(folder, "app/key"));
    symlinkSync("../secrets", join(folder, "app/all"));
    expect(listed()).toEqual({
      names: ["", "a.txt", "all", "all/key", "key"],
      notes: [
        `app/all is a link out of app: what travels is ${folder}/secrets`,
        `app/key is a link out of app: what travels is ${folder}/secrets/key`,
      ],
    });
  });

  test("to a folder around it is refused", () => {
    symlinkSync("..", join(folder, "app/up"));
    expect(() => listed()).toThrow("app/up/app is a link to a folder that it lies in: it has no end");
    rmSync(join(folder, "app/up"));
    symlinkSync(".", join(folder, "app/again"));
    expect(() => listed()).toThrow("app/again is a link to a folder that it lies in");
  });

  test("that leads nowhere stays here, and that is said", () => {
    symlinkSync("gone", join(folder, "app/lock"));
    expect(listed()).toEqual({
      names: ["", "a.txt"],
      notes: ["app/lock does not travel: it is a link that leads nowhere"],
    });
  });
});

test("what is neither a file nor a folder stays here, and that is said", () => {
  execFileSync("mkfifo", [join(folder, "app/pipe")]);
  symlinkSync("/dev/zero", join(folder, "app/zero"));
  expect(listed()).toEqual({
    names: ["", "a.txt"],
    notes: ["pipe", "zero"].map((name) => `app/${name} does not travel: it is neither a file nor a folder`),
  });
  expect(() => listed("app/pipe")).toThrow("names app/pipe under `files`, which is neither a file nor a folder");
});

test("a name that is no UTF-8 is refused in words", () => {
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/app/`), Buffer.from([0xff, 0x2e])]), "");
  expect(() => listed()).toThrow(/has a name that is not UTF-8; rename it/);
});

test("folders that nobody means to send end in words", () => {
  for (let index = 0; index < 2_000; index += 1) writeFileSync(join(folder, "app", `f${index}`), "");
  expect(() => listed()).toThrow("app holds more than 2000 files, or folders more than 32 deep");
  mkdirSync(join(folder, "deep", ...Array<string>(33).fill("d")), { recursive: true });
  expect(() => listed("deep")).toThrow("deep holds more than 2000 files, or folders more than 32 deep");
  for (let index = 0; index < 5; index += 1) write(`large/${index}`, "x".repeat(1024 * 1024));
  expect(() => listed("large")).toThrow(/large has \d+ bytes or more; 4194304 are the most/);
});
