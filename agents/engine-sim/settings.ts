import { parseArgs } from "./arguments.ts";
import { PROFILES, type Profile } from "./model.ts";

/** What the command line asks for, with SGLang's defaults. */
export interface Settings {
  modelPath: string;
  servedModelName: string;
  host: string;
  port: number;
  apiKey: string | null;
  mode: "null" | "prefill" | "decode";
  bootstrapPort: number;
  transferBackend: string;
  tpSize: number;
  contextLength: number;
  maxRunningRequests: number;
  /** null = no bound. Ignored by prefill and decode workers, as in the original. */
  maxQueuedRequests: number | null;
  maxTotalTokens: number;
  chunkedPrefillSize: number;
  maxPrefillTokens: number;
  skipWarmup: boolean;
  profile: Profile;
  /** Simulated seconds per second. */
  speed: number;
  /** Seeds the noise on step lengths; answers never depend on it. */
  seed: number;
  version: (typeof VERSIONS)[number];
  /** Simulated; null = as the profile says. */
  loadSeconds: number | null;
  /** File that gets one line of JSON per request. */
  record: string | null;
}

const VERSIONS = ["0.5.10", "0.5.23"] as const;

const MODES = ["null", "prefill", "decode"] as const;

/** SGLang's own bounds where nothing is given: it computes them from memory, within this range. */
const MAX_RUNNING_MIN = 2048;
const MAX_RUNNING_MAX = 4096;

/**
 * Reads SGLang's flags and the simulation's own `--sim-*`. Flags of SGLang that a simulation has no use for are read
 * over; unknown ones are warned of.
 * @throws ArgumentError with a message like argparse's
 */
export function readSettings(argv: string[]): { settings: Settings; warnings: string[] } {
  const args = parseArgs(argv);
  const modelPath = args.required("--model-path", "--model");
  const profile = args.oneOf(["--sim-profile"], PROFILES, (one) => one.name, "tiny");
  const maxTotalTokens = args.integer(["--max-total-tokens"], 1) ?? profile.kvTokens;
  const contextLength = args.integer(["--context-length"], 1) ?? profile.contextLength;
  const automatic = Math.min(Math.max((maxTotalTokens / contextLength) * 512, MAX_RUNNING_MIN), MAX_RUNNING_MAX);
  const settings: Settings = {
    modelPath,
    servedModelName: args.text("--served-model-name") ?? modelPath,
    host: args.text("--host") ?? "127.0.0.1",
    port: args.integer(["--port"], 0) ?? 30_000,
    apiKey: args.text("--api-key"),
    mode: args.oneOf(["--disaggregation-mode"], MODES, String, "null"),
    bootstrapPort: args.integer(["--disaggregation-bootstrap-port"], 0) ?? 8998,
    transferBackend: args.text("--disaggregation-transfer-backend") ?? "mooncake",
    tpSize: args.integer(["--tp-size", "--tp", "--tensor-parallel-size"], 1) ?? 1,
    contextLength,
    maxRunningRequests:
      args.integer(["--max-running-requests"], 1) ?? Math.floor(Math.min(automatic, maxTotalTokens / 2)),
    maxQueuedRequests: args.integer(["--max-queued-requests"], 0),
    maxTotalTokens,
    chunkedPrefillSize: args.integer(["--chunked-prefill-size"], 1) ?? profile.chunkedPrefillSize,
    maxPrefillTokens: args.integer(["--max-prefill-tokens"], 1) ?? 16_384,
    skipWarmup: args.has("--skip-server-warmup"),
    profile,
    speed: args.decimal("--sim-speed", 0.001) ?? 1,
    seed: args.integer(["--sim-seed"], 0) ?? 1,
    version: args.oneOf(["--sim-version"], VERSIONS, String, "0.5.23"),
    loadSeconds: args.decimal("--sim-load-seconds", 0),
    record: args.text("--sim-record"),
  };
  return { settings, warnings: args.warnings() };
}
