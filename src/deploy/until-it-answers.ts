import { makeToken } from "../control/tokens/tokens.ts";
import { StartError } from "../node/start-error.ts";
import type { World } from "./world.ts";

/** A new address takes some seconds until it is known everywhere, and its certificate at times a minute. */
const TRIES_MAX = 90;
const BETWEEN_TRIES_MS = 1_000;
const ANSWER_WITHIN_MS = 10_000;

/**
 * Waits until the Worker serves, and until it reaches its database: only with that it can tell that a token is unknown.
 *
 * @throws StartError with the last answer
 */
export async function untilItAnswers(url: string, world: World): Promise<void> {
  const unknown = { authorization: `Bearer ${makeToken("admin")}` };
  const healthy = await tried(world, () => statusOf(world, `${url}/health`), 200);
  if (healthy !== 200) {
    throw new StartError(`${url}/health: ${said(healthy)}. \`npx wrangler tail\` shows what the Worker says.`);
  }
  const reached = await tried(world, () => statusOf(world, `${url}/api/me`, unknown), 401);
  if (reached === 401) return;
  throw new StartError(
    `The Worker serves, but not with its database (${url}/api/me: ${said(reached)}). Can the database be reached from ` +
      "the internet, with this token? `npx wrangler tail` shows what the Worker says.",
  );
}

/** @returns the last status, which is `wanted` unless all tries were in vain; null = no answer */
async function tried(world: World, ask: () => Promise<number | null>, wanted: number): Promise<number | null> {
  let status: number | null = null;
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    if (tries > 0) await world.sleep(BETWEEN_TRIES_MS);
    world.interrupted.throwIfAborted();
    status = await ask();
    if (status === wanted) break;
  }
  return status;
}

async function statusOf({ fetch }: World, url: string, headers: Record<string, string> = {}): Promise<number | null> {
  try {
    const answer = await fetch(url, { headers, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    await answer.body?.cancel();
    return answer.status;
  } catch {
    return null;
  }
}

function said(status: number | null): string {
  return status === null ? "no answer" : `answered ${status}`;
}
