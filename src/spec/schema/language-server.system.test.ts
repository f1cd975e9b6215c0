import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LanguageServer } from "../../../test/support/language-server.ts";
import { parseConfig } from "../parse.ts";
import { configSchema } from "./kinds.ts";

const root = new URL("../../../", import.meta.url);

/** The line that the README tells to begin a file with. */
const MODELINE = "# yaml-language-server: $schema=headrace.schema.json\n";

let folder: string;
let server: LanguageServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "headrace-schema-"));
  const shipped = await readFile(new URL("schema/headrace.schema.json", root), "utf8");
  await writeFile(join(folder, "headrace.schema.json"), shipped);
  server = await LanguageServer.start(`${pathToFileURL(folder).href}/`);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const uriOf = (name: string) => pathToFileURL(join(folder, name)).href;

/** Each thing that is marked, with the line of the text that it is on. */
async function marked(name: string, text: string): Promise<string[]> {
  const diagnostics = await server.diagnose(uriOf(name), MODELINE + text);
  return diagnostics.map(({ range, message }) => `${range.start.line}: ${message}`);
}

async function filesOf(path: string): Promise<[name: string, text: string][]> {
  const url = new URL(path, root);
  const names = (await readdir(url)).filter((name) => name.endsWith(".yml"));
  return Promise.all(names.map(async (name) => [name, await readFile(new URL(name, url), "utf8")] as [string, string]));
}

describe("yaml-language-server with the shipped schema", () => {
  test("the README has the line that these tests begin every file with", async () => {
    expect(await readFile(new URL("README.md", root), "utf8")).toContain(MODELINE);
  });

  test.each(["test/fixtures/configs/", "examples/"])("marks nothing in the valid files of %s", async (path) => {
    const files = await filesOf(path);
    expect(files.length).toBeGreaterThan(0);
    for (const [name, text] of files) {
      const known = configSchema().properties?.type?.enum as string[];
      if (!known.includes(/^type: (\S+)/m.exec(text)?.[1] ?? "")) continue;
      if (parseConfig(text, name).ok) expect(await marked(name, text), name).toEqual([]);
    }
  });

  test("marks what is misspelt, missing or of the wrong type, each on its line", async () => {
    const text = `type: service
name: Chat
port: eight
comands: [serve]
auth: maybe
resources:
  memory: 16GiB
  gpu:
    nmae: H100
replicas:
  - count: 1
    commands: serve
probes:
  - url: /health
`;
    const lines = (await marked("broken.yml", text)).map((line) => Number.parseInt(line, 10));
    expect([...new Set(lines)].sort((a, b) => a - b)).toEqual([2, 3, 4, 5, 7, 9, 12, 14]);
  });

  test("says which types there are", async () => {
    expect(await marked("type.yml", "type: servise\n")).toEqual([expect.stringContaining("service")]);
  });

  test("offers the fields of a service once its type is written, and not those that are refused", async () => {
    const offered = await server.complete(uriOf("new.yml"), `${MODELINE}type: service\nname: chat\ngr`);
    expect(offered).toContain("groups");
    expect(offered).not.toContain("repos");
  });

  test("offers the fields of a group, and the words that a field may have", async () => {
    const group = await server.complete(
      uriOf("group.yml"),
      `${MODELINE}type: service\nname: chat\ngroups:\n  - name: a\n    `,
    );
    expect(group).toEqual(expect.arrayContaining(["commands", "resources", "role", "router"]));
    const roles = await server.complete(
      uriOf("role.yml"),
      `${MODELINE}type: service\nname: chat\ngroups:\n  - name: a\n    role: `,
    );
    expect(roles).toEqual(expect.arrayContaining(["prefill", "decode"]));
  });
});
