import { expect, test } from "vitest";
import { MemoryStore } from "../../test/sim/memory-store.ts";
import { closedFleet } from "../core/hosts/fleets.ts";
import { NEW_PROJECT } from "../core/project-state.ts";
import { systemClock } from "./clock.ts";
import { HeadraceControl } from "./control.ts";
import { createSealer } from "./seal.ts";
import type { Caller } from "./types.ts";

const ANN: Caller = { credentialId: "c", project: "main", kind: "member", name: "ann", subject: null };

test("old rows go though no controller lives to make many commits", async () => {
  const store = new MemoryStore();
  await store.createProject("main", 0, [NEW_PROJECT, closedFleet("default")]);
  const seal = await createSealer([new Uint8Array(32).fill(7)]);
  const trimmed: string[] = [];
  store.trimJournal = async () => void trimmed.push("journal");
  store.trimIdempotency = async () => void trimmed.push("answers");
  store.trimFiles = async () => void trimmed.push("files");
  let count = 0;
  // As an object on Workers that is put away after each burst of changes and made anew for the next.
  for (let life = 0; life < 6; life += 1) {
    const control = new HeadraceControl({ store, seal, clock: systemClock, log: () => {} });
    for (let i = 0; i < 100; i += 1) {
      count += 1;
      const config = `type: service\nname: web\nport: 80\ncommands: [a]\nreplicas: ${count % 2}\n`;
      await control.apply(ANN, { config, file: "web.yml", env: {}, files: [] }, `key-${10_000 + count}`);
    }
    await control.close();
  }
  expect(trimmed).toEqual(["journal", "answers", "files"]);
});
