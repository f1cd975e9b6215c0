import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { ensureDockerd } from "../support/dockerd.ts";
import { runInNamespaces } from "../support/in-namespaces.ts";
import type { TroublesResult } from "./namespaces/troubles.ts";

const LIMIT_MS = 240_000;
const GOLDENS = join(import.meta.dirname, "../fixtures/troubles");

let shown: TroublesResult;

beforeAll(() => {
  // Here, since nothing can be fetched from within.
  ensureDockerd();
  shown = runInNamespaces<TroublesResult>("test/e2e/namespaces/troubles.ts", [], LIMIT_MS);
}, LIMIT_MS + 10_000);

/** `WRITE_GOLDENS=1` writes what is meant to be new; read it as whoever is woken by it at night. */
test.each([
  "image-not-there",
  "wrong-password",
  "no-shell",
  "container-killed",
  "port-taken-while-it-runs",
  "port-taken-before",
  "engine-stopped",
  "engine-started",
  "disk-full",
])("what an operator is shown: %s", (name) => {
  const text = normalised(shown[name] ?? "");
  const file = join(GOLDENS, `${name}.txt`);
  if (process.env.WRITE_GOLDENS === "1") writeFileSync(file, text);
  expect(text).toBe(readFileSync(file, "utf8"));
});

test.each([
  ["image-not-there", "has no such image"],
  ["wrong-password", "does not accept the user name and password"],
  ["no-shell", 'the shell "/bin/sh" is not in the image'],
])("an apply that waits in vain says why: %s", (name, why) => {
  const output = shown[`${name}, applied`] ?? "";
  const end = output.slice(output.indexOf("error:"));
  expect(end).toMatch(/^error: \S+ is not ready after 1s: group 0: 0 of 1 ready \(.*could not be started/);
  expect(end).toContain(why);
});

test("what one run of a replica has downloaded the next one finds", () => {
  expect(shown["second start"]?.match(/the model is here/g)).toHaveLength(1);
});

/** Without what differs from run to run: names of files, ids, ports, spans, and the widths of columns. */
function normalised(text: string): string {
  return text
    .replace(/headrace-dockerd-\w+/g, "ENGINE")
    .replace(/127\.0\.0\.1:\d{4,5}/g, "REGISTRY")
    .replace(/\b(box)-[0-9a-f]{8}\b/g, "$1-ID")
    .replace(/\b([a-z-]+-0)-\d+\b/g, "$1-N")
    .replace(/GetImageBlob\d+/g, "GetImageBlobN")
    .replace(/\bprocess \d+ /g, "process PID ")
    .replace(/\b(?:8000|2\d{4})\b/g, "PORT")
    .replace(/ \(start \d+\)/g, "")
    .replace(/\(start \d+;/g, "(start N;")
    .replace(/\bbox:\d+/g, "box:PORT")
    .replace(/\b(?:\d+[smh])+( ago)?(?=\s)/g, "SPAN$1")
    .replace(/ {2,}/g, "  ");
}
