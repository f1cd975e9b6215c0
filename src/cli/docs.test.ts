import { access, readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { parseConfig } from "../spec/index.ts";
import { EXIT_MEANINGS } from "./exit-codes.ts";
import { commandNames } from "./testing/command-names.ts";

const read = (name: string) => readFile(new URL(`../../docs/${name}`, import.meta.url), "utf8");

test("docs/cli.md has an entry for every command, and for no other", async () => {
  const entries = [...(await read("cli.md")).matchAll(/^### `headrace ([a-z ]+)`$/gm)].map((match) => match[1]);
  expect(entries.sort()).toEqual(commandNames().sort());
});

test.each([
  ["security.md", 10],
  ["language.md", 10],
  ["files.md", 6],
])("docs/%s names tests that are there", async (name, least) => {
  const named = new Set((await read(name)).match(/(?:src|test|agents|scripts)\/[\w./-]+\.(?:test\.)?ts/g));
  expect(named.size).toBeGreaterThanOrEqual(least);
  const root = new URL("../../", import.meta.url);
  for (const path of named) await expect(access(new URL(path, root)), path).resolves.toBeUndefined();
});

test("what docs show of configurations is valid", async () => {
  const shown: string[] = [];
  for (const name of ["../README.md", ...(await readdir(new URL("../../docs", import.meta.url)))]) {
    if (!name.endsWith(".md")) continue;
    for (const [, text = ""] of (await read(name)).matchAll(/^```yaml\n([\s\S]*?)^```$/gm)) {
      if (/^(?:groups|router|fleets|files|probes):/m.test(text) || text.startsWith("type: ")) shown.push(text);
    }
  }
  expect(shown.length).toBeGreaterThan(6);
  for (const text of shown)
    expect(parseConfig(whole(text), "shown.yml", { env: ["HF_TOKEN"] }).issues, text).toEqual([]);
});

/** A part of a service with what a whole one needs, whatever of it the part leaves out. */
function whole(part: string): string {
  if (/^type: (?!service)/.test(part)) return part;
  const needs = { type: "service", name: "shown", port: "8000", image: "x" };
  const missing = Object.entries(needs).filter(([key]) => !new RegExp(`^${key}:`, "m").test(part));
  return missing.map(([key, value]) => `${key}: ${value}\n`).join("") + part;
}

test.each(["cli.md", "errors.md"])("docs/%s names every exit code with its meaning", async (name) => {
  const docs = await read(name);
  const rows = [...docs.matchAll(/^\| (\d+) \| ([^|]+) \|/gm)].map((match) => [match[1], match[2]]);
  expect(rows).toEqual(Object.entries(EXIT_MEANINGS));
});
