import { homedir } from "node:os";
import { makeToken, tokenHash } from "../control/tokens.ts";
import { createStore } from "../store/libsql.ts";
import { FIRST_PROJECT } from "./first-start.ts";
import { openServerDatabase } from "./server-database.ts";
import { serverSettings } from "./settings.ts";

/**
 * Makes an admin token in the server's own database, for when all others are lost: whoever may write the data folder,
 * or has the token of the remote database, owns the server. A server that runs on it takes the token at once.
 *
 * @param dataDir null: where the environment says, else the server's own default
 * @throws StartError when the database cannot be used
 */
export async function createLocalToken(dataDir: string | null, name: string): Promise<{ id: string; token: string }> {
  const settings = serverSettings({ dataDir: dataDir ?? undefined }, process.env, homedir());
  const store = createStore(await openServerDatabase(settings));
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
