import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runProcess } from "../../test/support/processes.ts";
import { ROOT } from "../bootstrap.js";
import { bundleWorker } from "./bundle.ts";

// The Worker is bundled by wrangler where it is deployed, and by the project itself for workerd on this machine.

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "headrace-bundle-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function byWrangler(): Promise<string> {
  const wrangler = join(ROOT, "node_modules/wrangler/bin/wrangler.js");
  const args = ["deploy", "--dry-run", "--minify", "--outdir", folder, "--config", join(ROOT, "wrangler.jsonc")];
  const env = { PATH: process.env.PATH, HOME: folder, WRANGLER_SEND_METRICS: "false", CI: "1" };
  const { code, output } = await runProcess([process.execPath, wrangler, ...args], env);
  expect(code, output).toBe(0);
  return readFile(join(folder, "worker.js"), "utf8");
}

async function byOurselves(): Promise<string> {
  const file = join(folder, "own.js");
  await bundleWorker(file);
  return readFile(file, "utf8");
}

describe.each([
  ["wrangler", byWrangler],
  ["the project itself", byOurselves],
])("bundled by %s", (_, bundle) => {
  test("the Worker has zod's messages in English, and in no other language", async () => {
    const text = await bundle();
    expect(text).toContain("Invalid input: expected");
    // As they begin in German, Spanish and French.
    for (const other of ["Ungültige Eingabe", "Entrada inválida", "Entrée invalide"]) expect(text).not.toContain(other);
  });
});
