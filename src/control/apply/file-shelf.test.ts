import { createHash } from "node:crypto";
import { beforeEach, expect, test } from "vitest";
import { MemoryStore } from "../../../test/sim/memory-store.ts";
import { FILE_BYTES_MAX } from "../../wire/index.ts";
import { FILES_KEPT_UNUSED_MS, FileShelf } from "./file-shelf.ts";

let store: MemoryStore;
let now: number;
let shelf: FileShelf;

beforeEach(async () => {
  store = new MemoryStore();
  now = 1_000;
  shelf = new FileShelf(store, { now: () => now });
  for (const project of ["main", "other"]) await store.createProject(project, now, []);
});

const nameOf = (body: Uint8Array) => createHash("sha256").update(body).digest("hex");

/** Puts a file of the largest size, each with other contents. @returns its name */
async function put(project: string, number: number): Promise<string> {
  const body = new Uint8Array(FILE_BYTES_MAX).fill(number);
  const sha256 = nameOf(body);
  await shelf.put(project, sha256, body);
  return sha256;
}

test("a project that is full takes no more, and another one notices nothing of it", async () => {
  const names: string[] = [];
  for (let i = 0; i < 16; i += 1) names.push(await put("main", i));
  await expect(put("main", 16)).rejects.toMatchObject({ code: "too_many" });
  // Not even that the same contents are there.
  await expect(shelf.read("other", names[0] as string)).rejects.toMatchObject({ code: "not_found" });
  await put("other", 16);
});

test("uploads whose apply never came make room a day later, though nothing was committed meanwhile", async () => {
  const first = await put("main", 0);
  for (let i = 1; i < 16; i += 1) await put("main", i);
  now += FILES_KEPT_UNUSED_MS;
  await expect(put("main", 16)).rejects.toMatchObject({ code: "too_many" });
  now += 1;
  const last = await put("main", 16);
  await expect(shelf.read("main", first)).rejects.toMatchObject({ code: "not_found" });
  expect(await shelf.read("main", last)).toHaveLength(FILE_BYTES_MAX);
});

test("what is not what its name says is not kept", async () => {
  const body = new Uint8Array([1]);
  await expect(shelf.put("main", "0".repeat(64), body)).rejects.toMatchObject({ code: "conflict" });
  await expect(shelf.read("main", nameOf(body))).rejects.toMatchObject({ code: "not_found" });
});
