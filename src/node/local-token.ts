import { access } from "node:fs/promises";
import { homedir } from "node:os";
import { makeToken, tokenHash } from "../control/tokens/tokens.ts";
import { createStore } from "../store/libsql.ts";
import { databaseFile } from "./database.ts";
import { FIRST_PROJECT } from "./first-start.ts";
import { openServerDatabase } from "./server-database.ts";
import { type ServerSettings, serverSettings } from "./settings.ts";
import { StartError } from "./start-error.ts";

/**
 * Makes an admin token in the server's own database, for when all others are lost: whoever may write the data folder,
 * or has the token of the remote database, owns the server. A server that runs on it takes the token at once.
 *
 * @param dataDir null: where the environment says, else the server's own default
 * @throws StartError when the database cannot be used, or no server has ever kept anything there
 */
export async function createLocalToken(dataDir: string | null, name: string): Promise<{ id: string; token: string }> {
  const settings = serverSettings({ dataDir: dataDir ?? undefined }, process.env, homedir());
  await assertThere(settings);
  const store = createStore(await openServerDatabase(settings));
  try {
    const projects = await store.projects();
    if (!projects.some(({ project }) => project === FIRST_PROJECT)) {
      throw new StartError("The database has no project yet: start the server on it once, which shows a first token.");
    }
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
      madeBy: null,
    });
    return { id, token };
  } finally {
    await store.close();
  }
}

/** A folder that was mistyped must not become the data folder of a server that nobody runs. */
async function assertThere({ dataDir, remote }: ServerSettings): Promise<void> {
  if (remote) return;
  await access(databaseFile(dataDir)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT" && error.code !== "ENOTDIR") return;
    throw new StartError(
      `There is no database of a server in ${dataDir}. Name the server's data folder with --data-dir or HEADRACE_DATA_DIR.`,
    );
  });
}
