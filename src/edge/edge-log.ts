import type { Log } from "../control/log.ts";

/** The platform keeps what is written to the console, one JSON a line. */
export const edgeLog: Log = (level, message, fields) => console[level](JSON.stringify({ level, message, ...fields }));
