import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { ROOT } from "../bootstrap.js";

/** The Worker as it is deployed. */
export const WORKER = join(ROOT, "src/worker.ts");

/** Bundles the Worker as wrangler does it: what the platform provides stays outside. */
export async function bundleWorker(file: string, entry = WORKER): Promise<void> {
  await build({
    entryPoints: [entry],
    outfile: file,
    bundle: true,
    minify: true,
    keepNames: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    logLevel: "error",
  });
}

/** What `wrangler.jsonc` says of the behaviour of the platform that the Worker was written for. */
export interface Compatibility {
  date: string;
  flags: string[];
}

export function compatibility(): Compatibility {
  const text = readFileSync(join(ROOT, "wrangler.jsonc"), "utf8");
  const date = /"compatibility_date":\s*"([\d-]+)"/.exec(text)?.[1];
  const flags = /"compatibility_flags":\s*(\[[^\]]*\])/.exec(text)?.[1];
  if (date === undefined || flags === undefined)
    throw new Error("wrangler.jsonc lacks its compatibility date or flags");
  return { date, flags: JSON.parse(flags) as string[] };
}
