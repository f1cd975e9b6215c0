import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { ERROR_STATUS } from "./errors.ts";

const docs = await readFile(new URL("../../docs/errors.md", import.meta.url), "utf8");

test("every code has an entry in docs/errors.md, and no entry is of a code that does not exist", () => {
  const entries = [...docs.matchAll(/^### `(\w+)`$/gm)].map((match) => match[1]);
  expect(entries.sort()).toEqual(Object.keys(ERROR_STATUS).sort());
});

test.each(Object.entries(ERROR_STATUS))("docs/errors.md says that %s answers with %i", (code, status) => {
  expect(docs).toContain(`| [\`${code}\`](#${code}) | ${status} |`);
});
