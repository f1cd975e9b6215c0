import { access, readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { EXIT_MEANINGS } from "./exit-codes.ts";
import { commandNames } from "./testing/command-names.ts";

const read = (name: string) => readFile(new URL(`../../docs/${name}`, import.meta.url), "utf8");

test("docs/cli.md has an entry for every command, and for no other", async () => {
  const entries = [...(await read("cli.md")).matchAll(/^### `headrace ([a-z ]+)`$/gm)].map((match) => match[1]);
  expect(entries.sort()).toEqual(commandNames().sort());
});

test("docs/security.md names tests that are there", async () => {
  const named = new Set((await read("security.md")).match(/(?:src|test|agents)\/[\w./-]+\.test\.ts/g));
  expect(named.size).toBeGreaterThan(10);
  const root = new URL("../../", import.meta.url);
  for (const path of named) await expect(access(new URL(path, root)), path).resolves.toBeUndefined();
});

test.each(["cli.md", "errors.md"])("docs/%s names every exit code with its meaning", async (name) => {
  const docs = await read(name);
  const rows = [...docs.matchAll(/^\| (\d+) \| ([^|]+) \|/gm)].map((match) => [match[1], match[2]]);
  expect(rows).toEqual(Object.entries(EXIT_MEANINGS));
});
