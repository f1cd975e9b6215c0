/**
 * What an accelerator costs in time, as arithmetic: how long the steps of an engine are. Pure, so that it runs in
 * virtual time too. The engines that it knows are in profiles.ts.
 */

/** One engine on its accelerators. Bytes are of the whole engine, all accelerators together. */
export interface Profile {
  name: string;
  accelerators: number;
  /** Whether it may be put on another number of accelerators (`spread`). */
  spreads: boolean;
  /** Parameters that a token passes through. */
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
  /** Tokens of prompt computed in one step, unless a flag says otherwise. */
  chunkedPrefillSize: number;
}

/** What is left of the arithmetic when eight or more accelerators talk to each other, and across nodes besides. */
const WIDE_SHARE = 0.9;
const WIDE_ACCELERATORS = 8;
const ACROSS_NODES_SHARE = 0.6;

/**
 * The same model on another number of accelerators: arithmetic, bandwidth and memory grow with it, less what their
 * talking costs.
 * @returns null when the weights alone do not fit
 */
export function spread(profile: Profile, accelerators: number, nodes: number): Profile | null {
  if (!profile.spreads) return profile;
  const factor = accelerators / profile.accelerators;
  const memory = (profile.weightBytes + profile.kvTokens * profile.kvBytesPerToken) * factor;
  const kvTokens = Math.floor((memory - profile.weightBytes) / profile.kvBytesPerToken);
  if (kvTokens < 1) return null;
  const wide = accelerators >= WIDE_ACCELERATORS ? WIDE_SHARE : 1;
  const share = wide * (nodes > 1 ? ACROSS_NODES_SHARE : 1);
  return {
    ...profile,
    accelerators,
    kvTokens,
    flops: profile.flops * factor * share,
    memoryBandwidth: profile.memoryBandwidth * factor,
  };
}

/** Weights come from a disk of this speed. */
const LOAD_BYTES_PER_S = 2e9;

/** From the start of the process until it listens. */
export function loadMs(profile: Profile): number {
  return (profile.weightBytes / LOAD_BYTES_PER_S) * 1000 + profile.startMs;
}

/** Attention makes a step dearer as its context grows: twice at this many tokens. */
const CONTEXT_DOUBLING_TOKENS = 60_000;

/** No step is shorter. */
const STEP_FLOOR_MS = 2;

/**
 * A prefill step over `tokens` of prompt not yet computed, whose context is `meanContext` tokens long.
 * @param noise factor on the whole
 */
export function prefillStepMs(profile: Profile, tokens: number, meanContext: number, noise = 1): number {
  const compute = (2 * profile.parameters * tokens) / profile.flops;
  const ms = profile.stepOverheadMs + compute * 1000 * (1 + meanContext / CONTEXT_DOUBLING_TOKENS);
  return Math.max(STEP_FLOOR_MS, ms * noise);
}

/**
 * A decode step: one token for each of `batch` requests, which hold `contextTokens` of cache in all.
 * @param noise factor on the whole
 */
export function decodeStepMs(profile: Profile, batch: number, contextTokens: number, noise = 1): number {
  const weights = profile.weightBytes / profile.memoryBandwidth;
  const compute = (2 * profile.parameters * batch) / profile.flops;
  const cache = (contextTokens * profile.kvBytesPerToken) / profile.memoryBandwidth;
  return Math.max(STEP_FLOOR_MS, (profile.stepOverheadMs + (Math.max(weights, compute) + cache) * 1000) * noise);
}

/** What a transfer of cache takes besides its bytes. */
export const TRANSFER_OVERHEAD_MS = 3;

/** What a network carries from prefill to decode, all transfers together: 400 Gb/s RDMA less its overheads, 10 GbE. */
export const NETWORK_BYTES_PER_S = { rdma: 40e9, tcp: 1.2e9 };

/** Reading a prompt into tokens. */
export function tokenizeMs(characters: number): number {
  return 2 + characters * 0.0005;
}

/** Real prompts have about this many characters to a token. */
export const TOKEN_CHARACTERS = 4;

export function countTokens(text: string): number {
  return Math.max(1, Math.ceil(text.length / TOKEN_CHARACTERS));
}
