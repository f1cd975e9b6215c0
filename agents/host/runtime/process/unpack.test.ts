import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { create, Header } from "tar";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { JobUser } from "./job-user.ts";
import { unpackFiles } from "./unpack.ts";

let base: string;
let jobDir: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "unpack-"));
  jobDir = join(base, "job");
  for (const name of ["work", "home"]) mkdirSync(join(jobDir, name), { recursive: true });
  mkdirSync(join(base, "from/app"), { recursive: true });
  writeFileSync(join(base, "from/app/run.sh"), "echo hi", { mode: 0o755 });
});
afterEach(() => rmSync(base, { recursive: true }));

const tarOf = (name: string) =>
  create({ cwd: join(base, "from"), sync: true, portable: true }, [name]).read() as Buffer;
const put = (path: string, archive: Buffer) => unpackFiles([{ path, fetch: async () => archive }], jobDir, null);

function headerOf(type: "File" | "Directory", path: string, mode: number): Buffer {
  const block = Buffer.alloc(512);
  new Header({ path, type, size: 0, mode }).encode(block);
  return block;
}

/** An archive of one entry without contents, of any kind and name. */
function entry(type: "SymbolicLink" | "Link" | "File", path: string, linkpath?: string): Buffer {
  const header = new Header({ path, type, size: 0, mode: 0o644, ...(linkpath === undefined ? {} : { linkpath }) });
  const block = Buffer.alloc(512);
  header.encode(block);
  return Buffer.concat([block, Buffer.alloc(1_024)]);
}

test.each([
  ["app", "work/app/run.sh"],
  ["deep/er/app", "work/deep/er/app/run.sh"],
  ["./app", "work/app/run.sh"],
  ["~/app", "home/app/run.sh"],
  ["~/deep/app/", "home/deep/app/run.sh"],
])("%s lies where the commands find it", async (path, found) => {
  await put(path, tarOf("app"));
  expect(readFileSync(join(jobDir, found), "utf8")).toBe("echo hi");
});

describe("what would leave the job's folder", () => {
  test.each(["/etc/x", "../x", "a/../../x", "~/../x"])("the path %s is refused", async (path) => {
    await expect(put(path, tarOf("app"))).rejects.toThrow(/outside of the job's own folder/);
  });

  test.each([
    ["a link", entry("SymbolicLink", "app", "/etc")],
    ["a hard link", entry("Link", "app", "/etc/passwd")],
  ])("%s in the archive is refused", async (_, archive) => {
    await expect(put("app", archive)).rejects.toThrow(/more than files and folders: app/);
    expect(existsSync(join(jobDir, "work/app"))).toBe(false);
  });

  test("an entry whose name leads out is refused", async () => {
    await expect(put("app", entry("File", "../../escaped"))).rejects.toThrow();
    expect(existsSync(join(base, "escaped"))).toBe(false);
    symlinkSync(base, join(jobDir, "work/out"));
    await put("app", entry("File", "out/escaped")).catch(() => {});
    expect(existsSync(join(base, "escaped"))).toBe(false);
  });
});

describe("an archive that is not what a command line makes", () => {
  test("is refused when it is none, or ends too soon", async () => {
    await expect(put("app", Buffer.from("no tar at all".repeat(100)))).rejects.toThrow(
      "the file app cannot be unpacked: it is no tar archive",
    );
    await expect(put("app", Buffer.from("short"))).rejects.toThrow("it is no tar archive");
    writeFileSync(join(base, "from/app/long"), "x".repeat(5_000));
    await expect(put("app", tarOf("app").subarray(0, 3_072))).rejects.toThrow(/the file app cannot be unpacked: /);
  });

  test("is refused when it is compressed, since it could become as large as the disk", async () => {
    writeFileSync(join(base, "from/app/zeros"), Buffer.alloc(1_000_000));
    for (const compress of [gzipSync, zstdCompressSync]) {
      await expect(put("app", compress(tarOf("app")))).rejects.toThrow("the file app cannot be unpacked: ");
    }
    expect(existsSync(join(jobDir, "work/app"))).toBe(false);
  });

  test("gives no rights by its modes", async () => {
    const archive = Buffer.concat([
      headerOf("Directory", "app/", 0o7777),
      headerOf("File", "app/su", 0o6777),
      headerOf("File", "app/data", 0o1666),
      Buffer.alloc(1_024),
    ]);
    await put("app", archive);
    const modes = ["app", "app/su", "app/data"].map((name) => statSync(join(jobDir, "work", name)).mode & 0o7777);
    expect(modes.map((mode) => mode & ~process.umask())).toEqual(modes);
    expect(modes.map((mode) => mode & 0o7022)).toEqual([0, 0, 0]);
    expect(modes.map((mode) => mode & 0o700)).toEqual([0o700, 0o700, 0o600]);
  });
});

test("the user that a job runs as owns what travelled, and nothing that a link leads to", async () => {
  const user: JobUser = { name: "me", uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  symlinkSync(join(base, "nowhere"), join(jobDir, "work/link"));
  await unpackFiles([{ path: "app", fetch: async () => tarOf("app") }], jobDir, user);
  expect(statSync(join(jobDir, "work/app/run.sh"))).toMatchObject({ uid: user.uid, gid: user.gid });
});

test("of several the later lies over the earlier", async () => {
  writeFileSync(join(base, "from/run.sh"), "echo other");
  await put("app", tarOf("app"));
  await put("app/run.sh", tarOf("run.sh"));
  expect(readFileSync(join(jobDir, "work/app/run.sh"), "utf8")).toBe("echo other");
});
