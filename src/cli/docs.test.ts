import { access, readdir, readFile } from "node:fs/promises";
import { posix } from "node:path";
import { expect, test } from "vitest";
import { parseConfig } from "../spec/index.ts";
import { EXIT_MEANINGS } from "./exit-codes.ts";
import { commandNames } from "./testing/command-names.ts";

const read = (name: string) => readFile(new URL(`../../docs/${name}`, import.meta.url), "utf8");

test("docs/cli.md has an entry for every command, and for no other", async () => {
  const entries = [...(await read("cli.md")).matchAll(/^### `headrace ([a-z ]+)`$/gm)].map((match) => match[1]);
  expect(entries.sort()).toEqual(commandNames().sort());
});

test("pages name tests and sources that are there", async () => {
  const named = new Set<string>();
  for (const page of await pages()) {
    for (const [path] of (await read(`../${page}`)).matchAll(/\b(?:src|test|agents|scripts|bench)\/[\w./-]+\.ts\b/g))
      named.add(path);
  }
  expect(named.size).toBeGreaterThan(60);
  const root = new URL("../../", import.meta.url);
  for (const path of named) await expect(access(new URL(path, root)), path).resolves.toBeUndefined();
});

/** Every page that people read, from the checkout's root. */
async function pages(): Promise<string[]> {
  const names = await readdir(new URL("../../docs", import.meta.url));
  const own = names.filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`);
  return ["README.md", "ARCHITECTURE.md", "examples/README.md", ...own];
}

/** A page's text without what it shows in fences. */
const proseOf = async (page: string) => (await read(`../${page}`)).replaceAll(/^```[\s\S]*?^```$/gm, "");

/** What a heading is called in a link, as GitHub makes it. */
const anchorOf = (heading: string) =>
  heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");

test("links lead to pages and headings that are there, and README.md to every page", async () => {
  const all = await pages();
  const anchors = new Map<string, string[]>();
  for (const page of all) {
    const headings = (await proseOf(page)).matchAll(/^#+ (.+)$/gm);
    anchors.set(
      page,
      [...headings].map(([, heading = ""]) => anchorOf(heading)),
    );
  }
  const linked = new Set<string>();
  const broken: string[] = [];
  for (const page of all) {
    for (const [, link = ""] of (await proseOf(page)).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(link)) continue;
      const [file = "", anchor] = link.split("#");
      const target = file === "" ? page : posix.join(posix.dirname(page), file);
      if (page === "README.md") linked.add(target);
      const isThere = await access(new URL(`../../${target}`, import.meta.url)).then(
        () => true,
        () => false,
      );
      if (!isThere || (anchor !== undefined && !anchors.get(target)?.includes(anchor))) broken.push(`${page}: ${link}`);
    }
  }
  expect(broken).toEqual([]);
  expect(all.filter((page) => page !== "README.md" && !linked.has(page))).toEqual([]);
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
