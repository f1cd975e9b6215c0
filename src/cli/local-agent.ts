import { fileURLToPath } from "node:url";

/** The agent's entry, for starting it as a process of its own. */
export const AGENT_ENTRY = fileURLToPath(new URL("../../agents/host/main.ts", import.meta.url));
