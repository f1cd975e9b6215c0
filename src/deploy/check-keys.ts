import type { Client } from "@libsql/client";
import { createSealer } from "../control/seal.ts";
import { StartError } from "../node/start-error.ts";

/**
 * Refuses keys that do not open what the database holds, before a Worker gets them: on another machine than the first
 * one's a new key would be made, and nothing could be rendered any more.
 *
 * @throws StartError
 */
export async function checkKeys(client: Client, keys: readonly Uint8Array<ArrayBuffer>[]): Promise<void> {
  const { rows } = await client.execute("SELECT DISTINCT key_id FROM secrets");
  const ours = await Promise.all(keys.map(idOf));
  const missing = rows.map((row) => String(row.key_id)).filter((id) => !ours.includes(id));
  if (missing.length === 0) return;
  throw new StartError(
    `The database holds secrets that were sealed with another key (${missing.join(", ")}; yours: ${ours.join(", ")}). ` +
      "Give the key of the first deployment in HEADRACE_KEY or HEADRACE_KEY_FILE; to rotate keys give the new one first " +
      "and the old ones after it.",
  );
}

async function idOf(key: Uint8Array<ArrayBuffer>): Promise<string> {
  const sealer = await createSealer([key]);
  return (await sealer.seal("", "", "")).keyId;
}
