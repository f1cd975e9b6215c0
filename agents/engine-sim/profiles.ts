import type { Profile } from "./model.ts";

/** Shares of the peak that real engines reach; fitted to published throughput tables within about 15 %. */
const FLOPS_SHARE = 0.5;
const BANDWIDTH_SHARE = 0.9;
const STEP_OVERHEAD_MS = 6;
const START_MS = 12_000;
const WARMUP_MS = 1_000;

/** Peaks of one H100: FLOP/s by the width of numbers, bytes/s of memory. */
const H100 = { bf16: 989e12, fp8: 1979e12, bandwidth: 3.35e12 };

/** The engines that `--sim-profile` can name. */
export const PROFILES: readonly Profile[] = [
  {
    // For tests on a laptop: 200,000 tokens/s of prompt, 2 ms a token, up within a blink.
    name: "tiny",
    accelerators: 1,
    spreads: false,
    parameters: 1e6,
    weightBytes: 0,
    kvBytesPerToken: 1_024,
    kvTokens: 50_000,
    contextLength: 32_768,
    flops: 4e11,
    memoryBandwidth: 1e12,
    stepOverheadMs: 2,
    startMs: 0,
    warmupMs: 50,
    chunkedPrefillSize: 8_192,
  },
  onH100({ name: "llama-70b-fp8", gpus: 4, parameters: 70.6e9, bytes: 1, kvBytes: 163_840, kvTokens: 1_300_000 }),
  onH100({ name: "llama-70b-bf16", gpus: 4, parameters: 70.6e9, bytes: 2, kvBytes: 327_680, kvTokens: 435_574 }),
  onH100({ name: "llama-8b-bf16", gpus: 1, parameters: 8.03e9, bytes: 2, kvBytes: 131_072, kvTokens: 438_000 }),
  {
    // One node of eight H100 among many that share the experts. Overhead and arithmetic are fitted to the published
    // 52,300 tokens/s of prompt and to 100 ms between tokens at 22,300 tokens/s: the steps wait for the network.
    name: "deepseek-v3-ep",
    accelerators: 8,
    spreads: false,
    parameters: 37e9,
    weightBytes: 75e9,
    kvBytesPerToken: 70_272,
    kvTokens: 6_500_000,
    contextLength: 131_072,
    flops: 6.8e15,
    memoryBandwidth: 8 * H100.bandwidth * BANDWIDTH_SHARE,
    stepOverheadMs: 62,
    startMs: 300_000,
    warmupMs: WARMUP_MS,
    chunkedPrefillSize: 8_192,
  },
];

function onH100(of: {
  name: string;
  gpus: number;
  parameters: number;
  /** Per parameter. */
  bytes: 1 | 2;
  kvBytes: number;
  kvTokens: number;
}): Profile {
  return {
    name: of.name,
    accelerators: of.gpus,
    spreads: true,
    parameters: of.parameters,
    weightBytes: of.parameters * of.bytes,
    kvBytesPerToken: of.kvBytes,
    kvTokens: of.kvTokens,
    contextLength: 131_072,
    flops: of.gpus * (of.bytes === 1 ? H100.fp8 : H100.bf16) * FLOPS_SHARE,
    memoryBandwidth: of.gpus * H100.bandwidth * BANDWIDTH_SHARE,
    stepOverheadMs: STEP_OVERHEAD_MS,
    startMs: START_MS,
    warmupMs: WARMUP_MS,
    chunkedPrefillSize: 8_192,
  };
}
