import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";

test("docs/errors.md names every refusal of the request path with its status, and no other", async () => {
  const folder = new URL("./", import.meta.url);
  const thrown = new Set<string>();
  for (const name of await readdir(folder)) {
    if (!name.endsWith(".ts") || name.endsWith(".test.ts")) continue;
    const text = await readFile(new URL(name, folder), "utf8");
    for (const [, status, code] of text.matchAll(/new Refusal\(\s*(\d+),\s*"(\w+)"/g)) thrown.add(`${code} ${status}`);
  }
  const docs = await readFile(new URL("../../docs/errors.md", folder), "utf8");
  const table = /^## Requests to services$([\s\S]*?)^## /m.exec(docs)?.[1] ?? "";
  const rows = [...table.matchAll(/^\| (`[^|]+`) \| (\d+) \|/gm)];
  const listed = rows.flatMap(([, codes = "", status]) =>
    [...codes.matchAll(/`(\w+)`/g)].map(([, code]) => `${code} ${status}`),
  );
  expect(thrown.size).toBeGreaterThan(20);
  expect(listed.sort()).toEqual([...thrown].sort());
});
