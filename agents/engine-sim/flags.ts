/** A flag that changes what the simulated engine does. */
export interface Flag {
  /** All its spellings. */
  spellings: string[];
  /** What stands for its value; empty for a switch. */
  value: string;
  /** What holds without it. */
  otherwise: string;
  meaning: string;
}

/** The simulation's own flags. */
export const OWN_FLAGS: readonly Flag[] = [
  flag(
    "--sim-profile",
    "NAME",
    "tiny",
    "the engine and what it runs on: tiny, llama-70b-fp8, llama-70b-bf16, llama-8b-bf16, deepseek-v3-ep",
  ),
  flag("--sim-speed", "FACTOR", "1", "simulated seconds per second, for everything that takes time"),
  flag("--sim-load-seconds", "SECONDS", "of the profile", "how long the port stays closed, simulated"),
  flag("--sim-seed", "NUMBER", "1", "for the noise on step lengths and for faults; answers never depend on it"),
  flag("--sim-version", "VERSION", "0.5.23", "the SGLang to be: 0.5.10 or 0.5.23"),
  flag(
    "--sim-record",
    "FILE",
    "none",
    "gets a line of JSON for each answer: role, room, prompt, peer, outcome, tokens",
  ),
  flag(
    "--sim-fail",
    "FAULTS",
    "none",
    "what goes wrong: load-oom, warmup, crash-after=S, hang-after=S, transfer-prob=P; several with commas",
  ),
];

/** Flags of SGLang that are obeyed. */
export const SGLANG_FLAGS: readonly Flag[] = [
  flag("--model-path, --model", "NAME", "required", "only a name here: nothing is loaded"),
  flag("--served-model-name", "NAME", "the model path", "the model that it answers for"),
  flag("--host", "ADDRESS", "127.0.0.1", "where it listens"),
  flag("--port", "PORT", "30000", "where it listens"),
  flag("--config", "FILE", "none", "YAML with more flags, which those on the line override"),
  flag("--api-key", "KEY", "none", "asked for everywhere but where probes and scrapers look"),
  flag("--disaggregation-mode", "MODE", "null", "null, prefill or decode"),
  flag("--disaggregation-bootstrap-port", "PORT", "8998", "where a prefill meets its decodes"),
  flag(
    "--disaggregation-transfer-backend",
    "NAME",
    "mooncake",
    "mooncake_tcp is slow, fake needs no prefill, all others are RDMA",
  ),
  flag("--disaggregation-ib-device", "NAMES", "none", "shown in /server_info"),
  flag("--num-reserved-decode-tokens", "TOKENS", "512", "kept free by a decode for each request it holds"),
  flag("--tp-size, --tp, --tensor-parallel-size", "COUNT", "of the profile", "accelerators of the engine"),
  flag("--dp-size, --dp, --data-parallel-size", "COUNT", "1", "ranks with a scheduler and a cache of their own"),
  flag("--nnodes", "COUNT", "1", "processes of the engine, one for each node"),
  flag("--node-rank", "RANK", "0", "which of them this is; only 0 serves"),
  flag("--dist-init-addr", "HOST:PORT", "none", "where they meet"),
  flag("--dist-timeout", "SECONDS", "600", "how long they wait for each other"),
  flag("--context-length", "TOKENS", "of the profile", "of a prompt and its answer"),
  flag("--max-running-requests", "COUNT", "from the cache", "requests that run at once, all ranks together"),
  flag("--max-queued-requests", "COUNT", "no bound", "more are refused with 503, unless prefill and decode are apart"),
  flag("--max-total-tokens", "TOKENS", "of the profile", "of cache, for each rank"),
  flag("--chunked-prefill-size", "TOKENS", "of the profile", "of prompt in one step; -1 computes prompts whole"),
  flag("--max-prefill-tokens", "TOKENS", "16384", "of several prompts in one step"),
  flag("--schedule-conservativeness", "FACTOR", "1", "how much cache running requests are expected to need yet"),
  flag("--enable-priority-scheduling", "", "off", "requests with a higher priority go first"),
  flag("--disable-radix-cache", "", "off", "keeps no beginnings of prompts; a decode never does"),
  flag("--enable-metrics", "", "off", "serves /metrics"),
  flag("--extra-metric-labels", "JSON", "none", "labels on every series"),
  flag("--bucket-time-to-first-token", "NUMBERS", "SGLang's", "buckets of that histogram, in seconds"),
  flag("--bucket-inter-token-latency", "NUMBERS", "SGLang's", "buckets of that histogram, in seconds"),
  flag("--bucket-e2e-request-latency", "NUMBERS", "SGLang's", "buckets of that histogram, in seconds"),
  flag("--collect-tokens-histogram", "", "off", "histograms of prompt and answer lengths in 0.5.10 too"),
  flag("--decode-log-interval", "STEPS", "40", "decode steps between two log lines, and two looks at the gauges"),
  flag("--enable-cache-report", "", "off", "tells cached tokens in an answer's usage"),
  flag("--skip-server-warmup", "", "off", "is up at once; SIGTERM just ends it until it has served a request"),
  flag("--watchdog-timeout", "SECONDS", "300", "how long an engine may hang before it is killed"),
  flag("--help", "", "", "prints this"),
];

function flag(spellings: string, value: string, otherwise: string, meaning: string): Flag {
  return { spellings: spellings.split(", "), value, otherwise, meaning };
}

/** What `--help` prints: a line for each flag, its parts apart by two spaces or more. */
export function helpText(): string {
  const rows = (flags: readonly Flag[]) =>
    flags.map(({ spellings, value, otherwise, meaning }) => [
      `${spellings.join(", ")} ${value}`.trim(),
      otherwise === "" ? meaning : `${meaning} [${otherwise}]`,
    ]);
  const width = Math.max(...rows([...OWN_FLAGS, ...SGLANG_FLAGS]).map(([names = ""]) => names.length));
  const lines = (flags: readonly Flag[]) =>
    rows(flags).map(([names = "", meaning]) => `  ${names.padEnd(width)}  ${meaning}`);
  return [
    "usage: python -m sglang.launch_server --model-path NAME [flags]",
    "",
    "A simulated SGLang engine. Other flags of SGLang are read over, unknown ones are warned of.",
    "",
    "of the simulation (also in ENGINE_SIM_ARGS):",
    ...lines(OWN_FLAGS),
    "",
    "of SGLang:",
    ...lines(SGLANG_FLAGS),
    "",
  ].join("\n");
}
