import type { ServerResponse } from "node:http";
import { sendText } from "./http.ts";
import type { ServerState } from "./server.ts";

/** SGLang's health generates a token, and looks for it after this long at the earliest. */
const HEALTH_MS = 1_000;

/**
 * Answers `/health`, which asks the engine for a token. An engine that hangs gives none: after 20 s it counts as
 * unhealthy, until another one finds it well.
 */
export async function health(state: ServerState, path: string, response: ServerResponse): Promise<void> {
  const { healthGenerates, healthTimeoutMs } = state.settings.environment;
  if (state.phase !== "up" && state.phase !== "unhealthy") return sendText(response, 503, "");
  if (path !== "/health_generate" && !healthGenerates) return sendText(response, 200, "");
  await state.clock.sleep(HEALTH_MS);
  if (state.engine.isHung) await state.clock.sleep(healthTimeoutMs - HEALTH_MS);
  // It may have begun to drain meanwhile.
  if (state.phase === "up" || state.phase === "unhealthy") state.phase = state.engine.isHung ? "unhealthy" : "up";
  sendText(response, state.phase === "up" ? 200 : 503, "");
}
