/** What the Worker has in place of zod's list of translations; `wrangler.jsonc` puts it there. */
export { default as en } from "zod/v4/locales/en.js";
