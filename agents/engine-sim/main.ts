import { ArgumentError, parseArgs } from "./arguments.ts";
import { live } from "./life.ts";
import { readSettings } from "./settings.ts";

/**
 * A simulated SGLang engine: `node agents/engine-sim/main.ts --model-path m --port 30000 ...`. More flags can be given in
 * ENGINE_SIM_ARGS (separated by spaces), for launch lines that must stay as they are, and in the file of `--config`;
 * those on the line win.
 */
const extra = (process.env.ENGINE_SIM_ARGS ?? "").split(/\s+/).filter((word) => word !== "");

try {
  const written = [...extra, ...process.argv.slice(2)];
  const first = parseArgs(written);
  if (first.has("--help")) {
    process.stdout.write((await import("./flags.ts")).helpText());
    process.exit(0);
  }
  const config = first.text("--config");
  const fromFile = config === null ? [] : (await import("./config-file.ts")).readConfigFile(config);
  const { settings, warnings } = readSettings([...fromFile, ...written], process.env);
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  await live(settings);
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`launch_server.py: error: ${message}\n`);
  process.exit(error instanceof ArgumentError ? 2 : 1);
}
