import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { MemoryStore } from "../../test/sim/memory-store.ts";
import { closedFleet } from "../core/fleets.ts";
import type { CommitBatch } from "../store/types.ts";
import { FILE_BYTES_MAX } from "../wire/index.ts";
import { systemClock } from "./clock.ts";
import { HeadraceControl } from "./control.ts";
import { FileShelf } from "./file-shelf.ts";
import { createSealer } from "./seal.ts";
import type { Caller } from "./types.ts";

async function shelf(): Promise<FileShelf> {
  const store = new MemoryStore();
  for (const project of ["main", "other"]) await store.createProject(project, 0, []);
  return new FileShelf(store, { now: () => 1 });
}
const sha256Of = (body: Uint8Array) => createHash("sha256").update(body).digest("hex");

/** A file that no other is like. */
function bodyOf(seed: number, bytes = 8): Uint8Array<ArrayBuffer> {
  const body = new Uint8Array(bytes);
  body[0] = seed;
  return body;
}

test("what is kept is what was named, and can be read again by its project alone", async () => {
  const files = await shelf();
  const [one, other] = [bodyOf(1), bodyOf(2)];
  await files.put("main", sha256Of(one), one);
  expect(await files.read("main", sha256Of(one))).toEqual(one);
  await expect(files.read("other", sha256Of(one))).rejects.toMatchObject({ code: "not_found" });
  await expect(files.put("main", sha256Of(one), other)).rejects.toMatchObject({ code: "conflict" });
});

test("an apply names what was uploaded, under as many paths as it likes", async () => {
  const files = await shelf();
  const body = bodyOf(1);
  const sha256 = sha256Of(body);
  const named = ["app", "again"].map((path) => ({ path, sha256, bytes: body.byteLength }));
  await expect(files.take("main", named)).rejects.toMatchObject({
    code: "invalid_config",
    message: `these files were not uploaded before the apply: app (${sha256}), again (${sha256})`,
  });
  await files.put("main", sha256, body);
  await files.take("main", named);
  await files.take("main", []);
});

test("a project has room for sixteen of the largest, and one that is there already needs none", async () => {
  const files = await shelf();
  const bodies = Array.from({ length: 16 }, (_, index) => bodyOf(index, FILE_BYTES_MAX));
  for (const body of bodies) await files.put("main", sha256Of(body), body);
  const further = bodyOf(17);
  await expect(files.put("main", sha256Of(further), further)).rejects.toMatchObject({ code: "too_many" });
  await files.put("other", sha256Of(further), further);
  const known = bodies[0] as Uint8Array<ArrayBuffer>;
  await files.put("main", sha256Of(known), known);
});

test("workers with other files are not paired with those from before", async () => {
  const store = new MemoryStore();
  await store.createProject("main", 0, [{ kind: "project", id: "project", nextSerial: 1 }, closedFleet("default")]);
  const batches: CommitBatch[] = [];
  const commit = store.commit.bind(store);
  store.commit = (batch) => {
    batches.push(batch);
    return commit(batch);
  };
  const seal = await createSealer([new Uint8Array(32).fill(7)]);
  const control = new HeadraceControl({ store, seal, clock: systemClock, log: () => undefined });
  const ann: Caller = { credentialId: "c", project: "main", kind: "admin", name: "ann", subject: null };
  const pairings: unknown[] = [];
  for (const [index, seed] of [1, 2, 1].entries()) {
    const sha256 = sha256Of(bodyOf(seed));
    await control.putFile("main", sha256, bodyOf(seed));
    const config = `type: service\nname: web-${index}\nport: 8000\ncommands: [serve]\nfiles: [app]\n`;
    const files = [{ localPath: "app", sha256, bytes: 8 }];
    await control.apply(ann, { config, file: "web.yml", env: {}, files }, `key-${index}-of-apply`);
    const revision = batches.at(-1)?.puts.find(({ kind }) => kind === "revision");
    pairings.push(revision !== undefined && "pairing" in revision && revision.pairing);
  }
  expect(pairings[0]).toMatch(/^[0-9a-f]{16}$/);
  expect(pairings[1]).not.toBe(pairings[0]);
  expect(pairings[2]).toBe(pairings[0]);
  control.close();
});
