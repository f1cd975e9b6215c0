import { homedir } from "node:os";
import { makeToken, tokenHash } from "../control/tokens.ts";
import { createStore } from "../store/libsql.ts";
import { openDatabase } from "./database.ts";
import { FIRST_PROJECT } from "./first-start.ts";
import { serverSettings } from "./settings.ts";

/**
 * Makes an admin token in the server's own database, for when all others are lost: whoever may write the data folder
 * owns the server. A server that runs on it takes the token at once.
 *
 * @param dataDir null: the server's own default
 * @throws StartError when the folder cannot be used
 */
export async function createLocalToken(dataDir: string | null, name: string): Promise<{ id: string; token: string }> {
  const settings = serverSettings({ dataDir: dataDir ?? undefined }, process.env, homedir());
  const store = createStore(await openDatabase(settings.dataDir));
  try {
    const token = makeToken("admin");
    const id = crypto.randomUUID();
    await store.putCredential({
      id,
      project: FIRST_PROJECT,
      kind: "admin",
      name,
      hash: await tokenHash(token),
      subject: null,
      createdAt: Date.now(),
      expiresAt: null,
      usedAt: null,
    });
    return { id, token };
  } finally {
    await store.close();
  }
}
