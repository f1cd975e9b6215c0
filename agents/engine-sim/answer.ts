import { createHash } from "node:crypto";
import { fraction, mix } from "./random.ts";

/**
 * What the simulated model says to a prompt. It depends on the prompt alone, so that every worker says the same, and a
 * prefill and a decode agree on the first token without sending it.
 */
export interface PlannedAnswer {
  /** Names the prompt in records: the first 16 hex digits of its SHA-256. */
  promptHash: string;
  /** Tokens in all, at least 1. */
  tokens: number;
  finish: "stop" | "length";
  /** The text of the token at this place, from 0. */
  token(index: number): string;
  /** The text of the first tokens. */
  text(tokens: number): string;
}

/** Mean length of an answer that ends by itself. */
const MEAN_TOKENS = 200;

/** Keeps the answers to one prompt apart. */
const CHOICE_STRIDE = 0x9e3779b1;

const WORDS = (
  "water stream river channel wheel mill weir sluice spring brook flow bank stone bridge valley field meadow forest " +
  "hill path gate tower bell lamp oar boat sail rope anchor harbour tide wave foam cloud rain snow frost wind storm " +
  "light shadow morning noon evening night summer autumn winter quiet clear deep broad narrow swift gentle bright cold"
).split(" ");

/**
 * Plans the answer: as long as a geometric draw around a mean of 200 tokens says, cut at `maxTokens`; exactly
 * `maxTokens` long where the end-of-text token is to be ignored.
 * @param choice which of several answers to the prompt, from 0
 */
export function planAnswer(prompt: string, maxTokens: number, ignoreEnd: boolean, choice = 0): PlannedAnswer {
  const digest = createHash("sha256").update(prompt).digest();
  const seed = (digest.readUInt32BE(0) ^ Math.imul(choice, CHOICE_STRIDE)) >>> 0;
  const natural = 1 + Math.floor(Math.log(1 - fraction(seed, -1)) / Math.log(1 - 1 / MEAN_TOKENS));
  const stops = !ignoreEnd && natural <= maxTokens;
  const token = (index: number) => (index === 0 ? "" : " ") + WORDS[mix(seed, index) % WORDS.length];
  return {
    promptHash: digest.toString("hex").slice(0, 16),
    tokens: stops ? natural : maxTokens,
    finish: stops ? "stop" : "length",
    token,
    text: (tokens) => Array.from({ length: tokens }, (_, index) => token(index)).join(""),
  };
}
