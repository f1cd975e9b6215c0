import { mkdtempSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AgentShelf } from "./agent-shelf.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "headrace-shelf-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const build = (n: number) => String(n).repeat(64);
const archive = (n: number) => new TextEncoder().encode(`archive ${n}`);

/** Keeps builds one after the other, each a day older than those that come after it. */
async function keepAll(...numbers: number[]): Promise<string[]> {
  let kept: string[] = [];
  for (const [age, n] of numbers.entries()) {
    kept = await new AgentShelf(folder).keep(build(n), archive(n));
    const at = new Date((1_000 + age) * 86_400_000);
    if (age < numbers.length - 1) utimesSync(join(folder, "agents", `${build(n)}.tar.gz`), at, at);
  }
  return kept;
}

test("keeps what servers of the folder have given out, the newest first, and the oldest go", async () => {
  expect(await keepAll(1, 2)).toEqual([build(2), build(1)]);
  expect(await keepAll(1, 2, 3, 4, 5, 6, 7)).toEqual([7, 6, 5, 4, 3].map(build));
  expect(readdirSync(join(folder, "agents"))).toHaveLength(5);
  expect(await new AgentShelf(folder).read(build(4))).toEqual(archive(4));
  expect(await new AgentShelf(folder).read(build(1))).toBe(null);
});

test("one that is given out again is the newest", async () => {
  expect(await keepAll(1, 2, 1)).toEqual([build(1), build(2)]);
});
