import type { Log } from "../control/log.ts";
import { writeLogLine } from "../stderr.ts";

/** One JSON line for each entry on standard error, which is where process managers collect it. */
export const logToStderr: Log = (level, message, fields = {}) => {
  writeLogLine(`${JSON.stringify({ at: new Date().toISOString(), level, message, ...fields })}\n`);
};
