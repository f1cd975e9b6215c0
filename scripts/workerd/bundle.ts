import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
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
    plugins: [aliases(JSON.parse(settingText("alias")) as Record<string, string>)],
    logLevel: "error",
  });
}

/** Wrangler's `alias`: what is imported by exactly these words is another file. esbuild's own takes no relative paths. */
function aliases(files: Record<string, string>): Plugin {
  return {
    name: "aliases",
    setup({ onResolve }) {
      onResolve({ filter: /.*/ }, ({ path }) => {
        const other = files[path];
        return other === undefined ? undefined : { path: join(ROOT, other) };
      });
    },
  };
}

/** What `wrangler.jsonc` says of the behaviour of the platform that the Worker was written for. */
export interface Compatibility {
  date: string;
  flags: string[];
}

export function compatibility(): Compatibility {
  return {
    date: JSON.parse(settingText("compatibility_date")) as string,
    flags: JSON.parse(settingText("compatibility_flags")) as string[],
  };
}

/** The JSON of a setting in `wrangler.jsonc`, which stands on one line there. */
function settingText(name: string): string {
  const text = readFileSync(join(ROOT, "wrangler.jsonc"), "utf8");
  const found = new RegExp(`^ {2}"${name}": (.+?),?$`, "m").exec(text)?.[1];
  if (found === undefined) throw new Error(`wrangler.jsonc lacks ${name} on a line of its own`);
  return found;
}
