import { execFileSync } from "node:child_process";
import { constants, mkdtempSync, rmSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PathLooks, PathSilent } from "./path-looks.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "headrace-looks-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const SOON_MS = 20;

/** Whoever opens it to read waits, in one of Node's threads, until somebody writes. */
function pipe(name: string): { path: string; look: () => Promise<void>; answer: () => Promise<void>; begun: number } {
  const path = join(folder, name);
  execFileSync("mkfifo", [path]);
  const made = {
    path,
    begun: 0,
    look: async () => {
      made.begun += 1;
      await (await open(path, "r")).close();
    },
    answer: async () => {
      await (await open(path, constants.O_RDWR)).close();
    },
  };
  return made;
}

test("a path that does not answer is waited for once, and leaves threads to look at others, however often it is asked for", async () => {
  const looks = new PathLooks();
  const pipes = ["a", "b", "c"].map(pipe);
  const at = ({ path, look }: (typeof pipes)[number]) => looks.at(path, look, SOON_MS);
  const silent = async (which: (typeof pipes)[number]) => expect(at(which)).rejects.toThrow(PathSilent);
  const [a, b, c] = pipes as [(typeof pipes)[number], (typeof pipes)[number], (typeof pipes)[number]];
  await Promise.all([silent(a), silent(a), silent(a)]);
  await silent(a);
  await silent(b);
  await silent(c);
  expect(pipes.map(({ begun }) => begun)).toEqual([1, 1, 0]);
  // Node has threads left: these would wait for ever.
  expect((await Promise.all([stat(folder), stat(a.path)])).map((found) => found.isFIFO())).toEqual([false, true]);

  await a.answer();
  await expect.poll(async () => looks.at(a.path, async () => "answers", SOON_MS).catch(String)).toBe("answers");
  await b.answer();
  await expect.poll(async () => looks.at(b.path, async () => "answers", SOON_MS).catch(String)).toBe("answers");
  expect(await looks.at(c.path, async () => "is looked at", SOON_MS)).toBe("is looked at");
});

test("those that come together look one after the other, and get what they find", async () => {
  const looks = new PathLooks();
  const order: string[] = [];
  const look = (name: string) =>
    looks.at("/somewhere", async () => {
      order.push(`${name} begins`);
      await stat(folder);
      order.push(`${name} ends`);
      return name;
    });
  expect(await Promise.all([look("a"), look("b")])).toEqual(["a", "b"]);
  expect(order).toEqual(["a begins", "a ends", "b begins", "b ends"]);
});

test("what a look fails with is told, and the next one begins anew", async () => {
  const looks = new PathLooks();
  const none = join(folder, "none");
  await expect(looks.at(none, () => stat(none))).rejects.toMatchObject({ code: "ENOENT" });
  expect(await looks.at(none, async () => 7)).toBe(7);
});

test("it is said which path it is", () => {
  expect(new PathSilent("/mnt/models").message).toBe(
    "/mnt/models does not answer: the file system that is mounted there hangs",
  );
});
