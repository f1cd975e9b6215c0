/**
 * What an accelerator costs in time, as arithmetic: profiles of engines and the length of their steps. Pure, so that it
 * runs in virtual time too.
 */

/** One engine on its accelerators. Bytes are of the whole engine, all accelerators together. */
export interface Profile {
  name: string;
  /** Parameters of the model. */
  parameters: number;
  weightBytes: number;
  kvBytesPerToken: number;
  /** Tokens whose cache fits beside the weights. */
  kvTokens: number;
  contextLength: number;
  /** FLOP/s that a prefill reaches: peak times the share in use. */
  flops: number;
  /** Bytes/s of memory that a decode reaches: peak times the share in use. */
  memoryBandwidth: number;
  /** Fixed part of every step. */
  stepOverheadMs: number;
  /** What start-up takes besides reading the weights: processes, graphs. */
  startMs: number;
  /** From listening to answering. */
  warmupMs: number;
  /** Tokens of one prompt computed in one step, unless a flag says otherwise. */
  chunkedPrefillSize: number;
}

/** Shares of the peak that real engines reach; fitted to published throughput tables within about 15 %. */
const FLOPS_SHARE = 0.5;
const BANDWIDTH_SHARE = 0.9;
const STEP_OVERHEAD_MS = 6;
/** Weights come from a disk of this speed. */
const LOAD_BYTES_PER_S = 2e9;
const START_MS = 12_000;
const WARMUP_MS = 1_000;

/** Peaks of one H100: FLOP/s by the width of numbers, bytes/s of memory. */
const H100 = { bf16: 989e12, fp8: 1979e12, bandwidth: 3.35e12 };

export const PROFILES: readonly Profile[] = [
  {
    // For tests on a laptop: 200,000 tokens/s of prompt, 2 ms a token, up within a blink.
    name: "tiny",
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

/** From the start of the process until it listens. */
export function loadMs(profile: Profile): number {
  return (profile.weightBytes / LOAD_BYTES_PER_S) * 1000 + profile.startMs;
}

/** Attention makes a step dearer as its context grows: twice at this many tokens. */
const CONTEXT_DOUBLING_TOKENS = 60_000;

/** A prefill step over `tokens` of prompt not yet computed, whose context is `meanContext` tokens long. */
export function prefillStepMs(profile: Profile, tokens: number, meanContext: number): number {
  const compute = (2 * profile.parameters * tokens) / profile.flops;
  return profile.stepOverheadMs + compute * 1000 * (1 + meanContext / CONTEXT_DOUBLING_TOKENS);
}

/** No step is shorter. */
const STEP_FLOOR_MS = 2;

/** A decode step: one token for each of `batch` requests, which hold `contextTokens` of cache in all. */
export function decodeStepMs(profile: Profile, batch: number, contextTokens: number): number {
  const weights = profile.weightBytes / profile.memoryBandwidth;
  const compute = (2 * profile.parameters * batch) / profile.flops;
  const cache = (contextTokens * profile.kvBytesPerToken) / profile.memoryBandwidth;
  return Math.max(STEP_FLOOR_MS, profile.stepOverheadMs + (Math.max(weights, compute) + cache) * 1000);
}

const TRANSFER_OVERHEAD_MS = 3;
/** A 400 Gb/s RDMA network, less its overheads. */
const TRANSFER_BYTES_PER_S = 40e9;

/** Sending the cache of a prompt from prefill to decode while `concurrent` transfers share the network. */
export function transferMs(profile: Profile, promptTokens: number, concurrent: number): number {
  const bytes = promptTokens * profile.kvBytesPerToken;
  return TRANSFER_OVERHEAD_MS + (bytes / (TRANSFER_BYTES_PER_S / Math.max(1, concurrent))) * 1000;
}

/** Reading a prompt into tokens. */
export function tokenizeMs(characters: number): number {
  return 2 + characters * 0.0005;
}

/** Real prompts have about four characters to a token. */
export function countTokens(text: string): number {
  return Math.max(1, Math.ceil(text.length / 4));
}
