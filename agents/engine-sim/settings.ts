import { ArgumentError, type Arguments, parseArgs } from "./arguments.ts";
import { type Environment, readEnvironment } from "./environment.ts";
import { type Faults, readFaults } from "./faults.ts";
import { type MetricsSettings, readMetricsSettings } from "./metrics/settings.ts";
import { type Profile, spread } from "./model.ts";
import { type NodesSettings, readNodes } from "./nodes-settings.ts";
import { PROFILES } from "./profiles.ts";

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
  ibDevice: string | null;
  /** What the cache travels over. */
  network: "rdma" | "tcp";
  reservedDecodeTokens: number;
  tpSize: number;
  dpSize: number;
  nodes: NodesSettings;
  contextLength: number;
  /** Of each rank. */
  maxRunningRequests: number;
  /** null = no bound. Ignored by prefill and decode workers, as in the original. */
  maxQueuedRequests: number | null;
  /** Of each rank. */
  maxTotalTokens: number;
  /** null = prompts are computed whole. */
  chunkedPrefillSize: number | null;
  maxPrefillTokens: number;
  conservativeness: number;
  byPriority: boolean;
  prefixCache: boolean;
  cacheReport: boolean;
  metrics: MetricsSettings;
  decodeLogInterval: number;
  skipWarmup: boolean;
  watchdogMs: number;
  profile: Profile;
  /** Simulated seconds per second. */
  speed: number;
  /** Seeds the noise on step lengths and the faults; answers never depend on it. */
  seed: number;
  version: (typeof VERSIONS)[number];
  /** Simulated; null = as the profile says. */
  loadSeconds: number | null;
  /** File that gets one line of JSON per answer. */
  record: string | null;
  faults: Faults;
  environment: Environment;
}

const VERSIONS = ["0.5.10", "0.5.23"] as const;

const MODES = ["null", "prefill", "decode"] as const;

/** SGLang's own bounds where nothing is given: it computes them from memory, within this range. */
const MAX_RUNNING_MIN = 2048;
const MAX_RUNNING_MAX = 4096;

/** More ranks than any engine has. */
const DP_SIZE_MAX = 1_024;

/**
 * Reads SGLang's flags and the simulation's own `--sim-*`. Flags of SGLang that a simulation has no use for are read
 * over; unknown ones are warned of.
 * @throws ArgumentError with a message like argparse's
 */
export function readSettings(
  argv: string[],
  env: Record<string, string | undefined> = {},
): { settings: Settings; warnings: string[]; asked: ReadonlySet<string> } {
  const args = parseArgs(argv);
  const settings = { ...readPlace(args), ...readEngine(args, readEnvironment(env)), ...readSimulation(args) };
  args.has("--help");
  args.text("--config");
  return { settings, warnings: args.warnings(), asked: args.asked() };
}

/** Who it is and where it listens. */
function readPlace(args: Arguments) {
  const modelPath = args.required("--model-path", "--model");
  return {
    modelPath,
    servedModelName: args.text("--served-model-name") ?? modelPath,
    host: args.text("--host") ?? "127.0.0.1",
    port: args.integer(["--port"], 0) ?? 30_000,
    apiKey: args.text("--api-key"),
    skipWarmup: args.has("--skip-server-warmup"),
    nodes: readNodes(args),
    metrics: readMetricsSettings(args),
  };
}

/** How it works. */
function readEngine(args: Arguments, environment: Environment) {
  const dpSize = args.integer(["--dp-size", "--dp", "--data-parallel-size"], 1) ?? 1;
  if (dpSize > DP_SIZE_MAX) throw new ArgumentError(`argument --dp-size: ${dpSize} is above ${DP_SIZE_MAX}`);
  const { profile, tpSize } = readProfile(args);
  const mode = args.oneOf(["--disaggregation-mode"], MODES, String, "null");
  const transferBackend = args.text("--disaggregation-transfer-backend") ?? "mooncake";
  if (transferBackend === "fake" && mode === "prefill") {
    throw new ArgumentError("argument --disaggregation-transfer-backend: fake is for a decode only");
  }
  const maxTotalTokens = args.integer(["--max-total-tokens"], 1) ?? profile.kvTokens;
  const contextLength = args.integer(["--context-length"], 1) ?? profile.contextLength;
  const automatic = Math.min(Math.max((maxTotalTokens / contextLength) * 512, MAX_RUNNING_MIN), MAX_RUNNING_MAX);
  const running = args.integer(["--max-running-requests"], 1);
  const chunk = args.integer(["--chunked-prefill-size"], -1) ?? profile.chunkedPrefillSize;
  const noCache = args.has("--disable-radix-cache");
  const network: Settings["network"] = transferBackend === "mooncake_tcp" || environment.forceTcp ? "tcp" : "rdma";
  return {
    mode,
    bootstrapPort: args.integer(["--disaggregation-bootstrap-port"], 0) ?? 8998,
    transferBackend,
    ibDevice: args.text("--disaggregation-ib-device"),
    network,
    reservedDecodeTokens: args.integer(["--num-reserved-decode-tokens"], 0) ?? 512,
    profile,
    tpSize,
    dpSize,
    contextLength,
    maxRunningRequests:
      running === null
        ? Math.max(1, Math.floor(Math.min(automatic, maxTotalTokens / 2)))
        : Math.max(1, Math.floor(running / dpSize)),
    maxQueuedRequests: args.integer(["--max-queued-requests"], 0),
    maxTotalTokens,
    chunkedPrefillSize: chunk < 1 ? null : chunk,
    maxPrefillTokens: args.integer(["--max-prefill-tokens"], 1) ?? 16_384,
    conservativeness: args.decimal("--schedule-conservativeness", 0) ?? 1,
    byPriority: args.has("--enable-priority-scheduling"),
    prefixCache: !noCache && mode !== "decode",
    cacheReport: args.has("--enable-cache-report"),
    decodeLogInterval: args.integer(["--decode-log-interval"], 1) ?? 40,
    watchdogMs: (args.decimal("--watchdog-timeout", 0) ?? 300) * 1000,
    environment,
  };
}

function readProfile(args: Arguments): { profile: Profile; tpSize: number } {
  const named = args.oneOf(["--sim-profile"], PROFILES, (one) => one.name, "tiny");
  const tpSize = args.integer(["--tp-size", "--tp", "--tensor-parallel-size"], 1) ?? named.accelerators;
  const profile = spread(named, tpSize, readNodes(args).count);
  if (profile) return { profile, tpSize };
  throw new ArgumentError(`argument --tp-size: the weights of ${named.name} do not fit ${tpSize} accelerators`);
}

/** What only a simulation has. */
function readSimulation(args: Arguments) {
  return {
    speed: args.decimal("--sim-speed", 0.001) ?? 1,
    seed: args.integer(["--sim-seed"], 0) ?? 1,
    version: args.oneOf(["--sim-version"], VERSIONS, String, "0.5.23"),
    loadSeconds: args.decimal("--sim-load-seconds", 0),
    record: args.text("--sim-record"),
    faults: readFaults(args.text("--sim-fail")),
  };
}
