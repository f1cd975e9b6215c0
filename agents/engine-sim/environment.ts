/** What SGLang reads from the environment and this engine heeds. Times are simulated milliseconds. */
export interface Environment {
  /** How long a prefill waits for a decode to reserve cache. */
  bootstrapTimeoutMs: number;
  /** How long a decode waits for room, for its prefill and for the cache. */
  waitingTimeoutMs: number;
  /** How often a decode asks whether a prefill lives, and how many misses say that it does not. */
  heartbeatMs: number;
  heartbeatMissesMax: number;
  /** How long `/health` waits for the engine. */
  healthTimeoutMs: number;
  /** Whether `/health` asks the engine at all. */
  healthGenerates: boolean;
  /** Whether SIGTERM ends it with requests still in it. */
  forceShutdown: boolean;
  /** Whether the cache travels over TCP although the flags say otherwise. */
  forceTcp: boolean;
}

/** A heartbeat is never sent more often, whatever is asked for. */
const HEARTBEAT_S_MIN = 2;

/** Anything that is not a number counts as absent, with the default that SGLang has. */
export function readEnvironment(env: Record<string, string | undefined>): Environment {
  const seconds = (name: string, otherwise: number) => Number(env[name] || otherwise) || otherwise;
  const isOn = (name: string, otherwise: string) => /^(true|1|yes|y)$/i.test(env[name] ?? otherwise);
  return {
    bootstrapTimeoutMs: seconds("SGLANG_DISAGGREGATION_BOOTSTRAP_TIMEOUT", 300) * 1000,
    waitingTimeoutMs: seconds("SGLANG_DISAGGREGATION_WAITING_TIMEOUT", 300) * 1000,
    heartbeatMs: Math.max(HEARTBEAT_S_MIN, seconds("SGLANG_DISAGGREGATION_HEARTBEAT_INTERVAL", 5)) * 1000,
    heartbeatMissesMax: seconds("SGLANG_DISAGGREGATION_HEARTBEAT_MAX_FAILURE", 2),
    healthTimeoutMs: seconds("SGLANG_HEALTH_CHECK_TIMEOUT", 20) * 1000,
    healthGenerates: isOn("SGLANG_ENABLE_HEALTH_ENDPOINT_GENERATION", "true"),
    forceShutdown: isOn("SGL_FORCE_SHUTDOWN", "false"),
    forceTcp: isOn("MC_FORCE_TCP", "false"),
  };
}
