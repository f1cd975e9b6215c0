import { writeSync } from "node:fs";
import { openDatabase } from "../../src/node/database.ts";
import { createStore } from "../../src/store/libsql.ts";
import { commitOf, replica } from "./store-samples.ts";

// Commits to project `main` until it is killed, and says each commit's id on standard output once it is acknowledged.
// Every commit writes the same id in five places, so that a half of one would be seen.
//
//   node commit-loop.ts <data folder> <name of this writer>

const [folder, writer] = process.argv.slice(2);
if (!folder || !writer) throw new Error("usage: commit-loop.ts <data folder> <name of this writer>");

const store = createStore(await openDatabase(folder));
let version = 1;
const newest = async () => (await store.journal("main", version, 1_000)).rows.at(-1)?.version ?? version;
for (let n = 0; ; n++) {
  const id = `${writer}-${n}`;
  const batch = {
    puts: [
      { ...replica(n), id: `${id}-left` },
      { ...replica(n), id: `${id}-right` },
    ],
    inputs: [id],
    secrets: [{ name: id, version: "1", keyId: "k", sealed: "s" }],
    idempotency: [{ key: id, requestHash: "h", answer: "{}", at: n }],
  };
  while ((await store.commit(commitOf("main", version + 1, id, batch))).kind === "conflict") version = await newest();
  version += 1;
  writeSync(1, `${id}\n`);
}
