import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { generatedFiles } from "./generated-files.ts";

test.each(generatedFiles())("$path is what `npm run docs` writes from the code", async ({ path, text }) => {
  const written = await readFile(new URL(`../${path}`, import.meta.url), "utf8");
  expect(written === text, `${path} is stale: run \`npm run docs\` and commit what it writes`).toBe(true);
});
