import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, Header } from "tar";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
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

  test("what is no archive is refused", async () => {
    await expect(put("app", Buffer.from("no tar at all".repeat(100)))).rejects.toThrow();
  });
});
