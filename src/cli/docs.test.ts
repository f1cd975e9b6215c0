import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { EXIT_MEANINGS } from "./exit-codes.ts";
import { commandNames } from "./testing/command-names.ts";

const read = (name: string) => readFile(new URL(`../../docs/${name}`, import.meta.url), "utf8");

test("docs/cli.md has an entry for every command, and for no other", async () => {
  const entries = [...(await read("cli.md")).matchAll(/^### `headrace ([a-z ]+)`$/gm)].map((match) => match[1]);
  expect(entries.sort()).toEqual(commandNames().sort());
});

test.each(["cli.md", "errors.md"])("docs/%s names every exit code with its meaning", async (name) => {
  const docs = await read(name);
  const rows = [...docs.matchAll(/^\| (\d+) \| ([^|]+) \|/gm)].map((match) => [match[1], match[2]]);
  expect(rows).toEqual(Object.entries(EXIT_MEANINGS));
});
