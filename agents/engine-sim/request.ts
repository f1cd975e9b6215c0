import { type PlannedAnswer, planAnswer } from "./answer.ts";
import { EngineError } from "./errors.ts";
import { type JsonObject, objectOf, wholeNumber } from "./json.ts";
import { countTokens, TOKEN_CHARACTERS } from "./model.ts";
import type { Settings } from "./settings.ts";

/** The three ways to ask for text. */
export type RequestKind = "chat" | "completion" | "generate";

/** Where a prefill and a decode meet over one answer; `null` outside of prefill/decode. */
export interface Meeting {
  /** A 63-bit number, as text. */
  room: string;
  host: string | null;
  port: number | null;
}

/** One answer that is to be given: a request asks for `n` of them. */
export interface Strand {
  prompt: string;
  promptTokens: number;
  /** Tokens that it is allowed. */
  maxTokens: number;
  priority: number;
  answer: PlannedAnswer;
  meeting: Meeting | null;
}

export interface GenerateRequest {
  kind: RequestKind;
  id: string;
  model: string;
  stream: boolean;
  /** Whether a stream ends with a chunk of usage. */
  usageChunk: boolean;
  promptCharacters: number;
  promptTokens: number;
  /** The data-parallel rank that is to serve it, if the request says so. */
  rank: number | null;
  /** At least one. */
  strands: [Strand, ...Strand[]];
}

/** What `max_tokens` is where a request does not say; a chat may fill the context. */
const COMPLETION_TOKENS_DEFAULT = 16;
const GENERATE_TOKENS_DEFAULT = 128;

/** OpenAI's own bound on `n`. */
const ANSWERS_MAX = 128;

/** Tokens that SGLang keeps for itself at the end of a context. */
export const CONTEXT_MARGIN_TOKENS = 6;

/**
 * Reads a request body, for as much as a simulation needs of it.
 * @param rank the data-parallel rank of the header `X-Data-Parallel-Rank`, which wins over the body's
 * @throws EngineError 400 for what SGLang would refuse
 */
export function readRequest(
  kind: RequestKind,
  body: JsonObject,
  id: string,
  settings: Settings,
  rank: number | null = null,
): GenerateRequest {
  const sampling = kind === "generate" ? objectOf(body.sampling_params) : body;
  const answers = wholeNumber(sampling, "n", 1) ?? 1;
  if (answers > ANSWERS_MAX) throw new EngineError(400, `n must be at most ${ANSWERS_MAX}`);
  const prompt = promptOf(kind, body);
  const promptTokens = countTokens(prompt);
  const maxTokens = allowedTokens(kind, sampling, promptTokens, settings);
  const meeting = meetingOf(body);
  const strand = (index: number): Strand => ({
    prompt,
    promptTokens,
    maxTokens,
    priority: typeof body.priority === "number" ? body.priority : 0,
    answer: planAnswer(prompt, maxTokens, sampling.ignore_eos === true, index),
    meeting: meeting && { ...meeting, room: String(BigInt(meeting.room) + BigInt(index)) },
  });
  return {
    kind,
    id: typeof body.rid === "string" ? body.rid : id,
    model: typeof body.model === "string" && body.model !== "" ? body.model : settings.servedModelName,
    stream: body.stream === true,
    usageChunk: objectOf(body.stream_options).include_usage === true,
    promptCharacters: prompt.length,
    promptTokens,
    rank: rank ?? wholeNumber(body, "routed_dp_rank", 0),
    strands: [strand(0), ...Array.from({ length: answers - 1 }, (_, index) => strand(index + 1))],
  };
}

/** A prompt and its answer must fit the context, or are refused; an answer that the cache could never hold is cut. */
function allowedTokens(kind: RequestKind, sampling: JsonObject, promptTokens: number, settings: Settings): number {
  const { contextLength, maxTotalTokens } = settings;
  const left = contextLength - promptTokens;
  if (left < 1) {
    throw new EngineError(
      400,
      `The input (${promptTokens} tokens) is longer than the model's context length (${contextLength} tokens).`,
    );
  }
  const room = maxTotalTokens - promptTokens;
  if (room < 1) {
    throw new EngineError(
      400,
      `Input length (${promptTokens} tokens) exceeds the maximum allowed length (${maxTotalTokens - 1} tokens).`,
    );
  }
  const asked = maxTokensOf(kind, sampling) ?? left;
  if (asked > left) {
    throw new EngineError(
      400,
      `Requested token count exceeds the model's maximum context length of ${contextLength} tokens: ` +
        `${promptTokens} tokens from the input messages and ${asked} tokens for the completion.`,
    );
  }
  return Math.min(asked, room);
}

function maxTokensOf(kind: RequestKind, sampling: JsonObject): number | null {
  if (kind === "generate") return wholeNumber(sampling, "max_new_tokens", 1) ?? GENERATE_TOKENS_DEFAULT;
  if (kind === "completion") return wholeNumber(sampling, "max_tokens", 1) ?? COMPLETION_TOKENS_DEFAULT;
  return wholeNumber(sampling, "max_completion_tokens", 1) ?? wholeNumber(sampling, "max_tokens", 1);
}

function promptOf(kind: RequestKind, body: JsonObject): string {
  if (kind === "chat") return chatPrompt(body.messages);
  const text = kind === "completion" ? body.prompt : (body.text ?? body.input_ids);
  if (typeof text === "string" && text !== "") return text;
  if (Array.isArray(text) && text.length > 0 && text.every((token) => typeof token === "number")) {
    return text.map(tokenText).join("");
  }
  const name = kind === "completion" ? "prompt" : "text";
  throw new EngineError(400, `${name} must be text or a list of token ids; the simulated engine takes one prompt`);
}

/** Text as long as a token is reckoned to be, so that ids and text are counted alike. */
function tokenText(id: number): string {
  return id.toString(36).padStart(TOKEN_CHARACTERS).slice(-TOKEN_CHARACTERS);
}

function chatPrompt(messages: unknown): string {
  if (!Array.isArray(messages) || messages.length === 0) throw new EngineError(400, "messages cannot be empty");
  return messages
    .map((message) => {
      const { role, content } = objectOf(message);
      if (typeof role !== "string") throw new EngineError(400, "every message needs a role");
      const parts = Array.isArray(content) ? content.map((part) => objectOf(part).text) : [content];
      return `${role}: ${parts.filter((part) => typeof part === "string").join("")}\n`;
    })
    .join("");
}

function meetingOf(body: JsonObject): Meeting | null {
  const room = body.bootstrap_room;
  if (room === undefined || room === null) return null;
  if (!/^\d{1,20}$/.test(String(room))) throw new EngineError(400, "bootstrap_room must be one whole number");
  return {
    room: String(room),
    host: typeof body.bootstrap_host === "string" ? body.bootstrap_host : null,
    port: wholeNumber(body, "bootstrap_port", 1),
  };
}
