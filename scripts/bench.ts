// `npm run bench -- <name>` runs bench/<name>.ts; without a name it lists them. With --json nothing but one JSON
// document reaches standard output (npm's own heading aside: `npm run --silent`). Progress belongs on standard error.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { asJson, asText, type BenchResult } from "../bench/support/report.ts";
import { ROOT } from "./bootstrap.js";

/** What every file of bench/ exports. */
interface Bench {
  /**
   * @param options.minutes how long a bench that has no end of its own goes on
   * @param options.agents how many agents a bench simulates, where that can be chosen
   */
  default(options: { minutes?: number; agents?: number }): Promise<BenchResult>;
}

const folder = join(ROOT, "bench");
const names = readdirSync(folder)
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
  .map((file) => file.slice(0, -".ts".length))
  .sort();

const { values, positionals } = parseArgs({
  options: { json: { type: "boolean", default: false }, minutes: { type: "string" }, agents: { type: "string" } },
  allowPositionals: true,
});
const name = positionals[0];
// Whoever ends a bench ends what it has started: that waits for `exit`, which a signal by itself does not cause.
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => process.exit(1));
if (name !== undefined && names.includes(name)) {
  const bench: Bench = await import(join(folder, `${name}.ts`));
  const result = await bench.default({
    ...(values.minutes === undefined ? {} : { minutes: Number(values.minutes) }),
    ...(values.agents === undefined ? {} : { agents: Number(values.agents) }),
  });
  process.stdout.write(`${values.json ? asJson(name, result, new Date()) : asText(result)}\n`);
} else {
  if (name !== undefined) process.stderr.write(`There is no bench named ${name}.\n`);
  process.stdout.write(
    `Usage: npm run bench -- <name> [--json] [--minutes N] [--agents N]\nBenches: ${names.join(", ")}\n`,
  );
  process.exitCode = name === undefined ? 0 : 2;
}
