import { fileURLToPath } from "node:url";

/** The checkout, with a separator at its end: the Worker's sources, its configuration and wrangler are found in it. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
