import { type PlannedAnswer, planAnswer } from "./answer.ts";
import { EngineError } from "./errors.ts";
import { type JsonObject, objectOf, wholeNumber } from "./json.ts";
import { countTokens } from "./model.ts";
import type { Settings } from "./settings.ts";

/** The three ways to ask for text. */
export type RequestKind = "chat" | "completion" | "generate";

/** Where a prefill and a decode meet over one request; `null` outside of prefill/decode. */
export interface Meeting {
  /** A 63-bit number, as text. */
  room: string;
  host: string | null;
  port: number | null;
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
  answer: PlannedAnswer;
  meeting: Meeting | null;
}

/** What `max_tokens` is where a request does not say; a chat may fill the context. */
const COMPLETION_TOKENS_DEFAULT = 16;
const GENERATE_TOKENS_DEFAULT = 128;

/**
 * Reads a request body, for as much as a simulation needs of it.
 * @throws EngineError 400 for what SGLang would refuse
 */
export function readRequest(kind: RequestKind, body: JsonObject, id: string, settings: Settings): GenerateRequest {
  if ((wholeNumber(body, "n", 1) ?? 1) > 1)
    throw new EngineError(400, "the simulated engine gives one answer: n must be 1");
  const prompt = promptOf(kind, body);
  const promptTokens = Array.isArray(body.input_ids) ? Math.max(1, body.input_ids.length) : countTokens(prompt);
  const left = settings.contextLength - promptTokens;
  if (left < 1) {
    throw new EngineError(
      400,
      `The input (${promptTokens} tokens) is longer than the model's context length (${settings.contextLength} tokens).`,
    );
  }
  const sampling = kind === "generate" ? objectOf(body.sampling_params) : body;
  const maxTokens = maxTokensOf(kind, sampling) ?? left;
  if (maxTokens > left) {
    throw new EngineError(
      400,
      `Requested token count exceeds the model's maximum context length of ${settings.contextLength} tokens: ` +
        `${promptTokens} tokens from the input messages and ${maxTokens} tokens for the completion.`,
    );
  }
  return {
    kind,
    id: typeof body.rid === "string" ? body.rid : id,
    model: typeof body.model === "string" && body.model !== "" ? body.model : settings.servedModelName,
    stream: body.stream === true,
    usageChunk: objectOf(body.stream_options).include_usage === true,
    promptCharacters: prompt.length,
    promptTokens,
    answer: planAnswer(prompt, maxTokens, sampling.ignore_eos === true),
    meeting: meetingOf(body),
  };
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
  if (Array.isArray(text) && text.length > 0 && text.every((token) => typeof token === "number")) return text.join(" ");
  const name = kind === "completion" ? "prompt" : "text";
  throw new EngineError(400, `${name} must be text or a list of token ids; the simulated engine takes one prompt`);
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
