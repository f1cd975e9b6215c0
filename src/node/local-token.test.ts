import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openDatabase } from "./database.ts";
import { createLocalToken } from "./local-token.ts";

test("a folder that is no server's stays as it is", async () => {
  const folder = await mkdtemp(join(tmpdir(), "headrace-local-token-"));
  await expect(createLocalToken(folder, "x")).rejects.toThrowError(
    `There is no database of a server in ${folder}. Name`,
  );
  await expect(createLocalToken(join(folder, "mistyped"), "x")).rejects.toThrowError("--data-dir");
  expect(await readdir(folder)).toEqual([]);
  await rm(folder, { recursive: true });
});

test("a database in which no server has made anything yet has nothing that a token could be for", async () => {
  const folder = await mkdtemp(join(tmpdir(), "headrace-local-token-"));
  (await openDatabase(folder)).close();
  await expect(createLocalToken(folder, "x")).rejects.toThrowError("start the server on it once");
  await rm(folder, { recursive: true });
});
