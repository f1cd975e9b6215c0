import type { Outcome } from "./engine.ts";
import type { GenerateRequest } from "./request.ts";
import type { Settings } from "./settings.ts";

/** How an answer is written, for one way of asking. Every method returns JSON values. */
export interface AnswerShape {
  /** What a stream begins with. */
  opening(): unknown[];
  /** The token at this place of the answer. */
  token(index: number): unknown;
  /** What a stream ends with, before `[DONE]`. */
  closing(outcome: Outcome): unknown[];
  /** The whole answer at once. */
  whole(outcome: Outcome): unknown;
}

/** The id of the end-of-turn token, as a Qwen model reports it. */
const END_TOKEN = 151_645;

/** @param created seconds since 1970 */
export function answerShape(request: GenerateRequest, settings: Settings, created: number): AnswerShape {
  if (request.kind === "chat") return chatShape(request, settings, created);
  if (request.kind === "completion") return completionShape(request, created);
  return generateShape(request);
}

/** 0.5.23 writes the members that are set; 0.5.10 writes all of a delta's. */
function chatShape(request: GenerateRequest, settings: Settings, created: number): AnswerShape {
  const { id, model, answer } = request;
  const allMembers = settings.version === "0.5.10";
  const delta = (set: { role?: string; content?: string }) =>
    allMembers
      ? { role: set.role ?? null, content: set.content ?? null, reasoning_content: null, tool_calls: null }
      : { reasoning_content: null, ...set };
  const chunk = (set: { role?: string; content?: string }, end: ReturnType<typeof finishOf> | null) => ({
    id,
    object: "chat.completion.chunk",
    created,
    model,
    choices: [{ index: 0, delta: delta(set), logprobs: null, ...(end ?? NOT_FINISHED) }],
    ...(allMembers ? { usage: null } : {}),
  });
  return {
    opening: () => [chunk({ role: "assistant", content: "" }, null)],
    token: (index) => chunk({ content: answer.token(index) }, null),
    closing: (outcome) => [
      chunk({}, finishOf(outcome)),
      ...(request.usageChunk
        ? [{ id, object: "chat.completion.chunk", created, model, choices: [], usage: usage(request, outcome) }]
        : []),
    ],
    whole: (outcome) => ({
      id,
      object: "chat.completion",
      created,
      model,
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: answer.text(outcome.tokens),
            reasoning_content: null,
            tool_calls: null,
          },
          logprobs: null,
          ...finishOf(outcome),
        },
      ],
      usage: usage(request, outcome),
      metadata: { weight_version: "default" },
    }),
  };
}

function completionShape(request: GenerateRequest, created: number): AnswerShape {
  const { id, model, answer } = request;
  const head = { id, object: "text_completion", created, model };
  const choice = (text: string, end: ReturnType<typeof finishOf> | null) => ({
    ...head,
    choices: [{ index: 0, text, logprobs: null, ...(end ?? NOT_FINISHED) }],
  });
  return {
    opening: () => [],
    token: (index) => ({ ...choice(answer.token(index), null), usage: null }),
    closing: (outcome) => [
      { ...choice("", finishOf(outcome)), usage: null },
      ...(request.usageChunk ? [{ ...head, choices: [], usage: usage(request, outcome) }] : []),
    ],
    whole: (outcome) => ({
      ...choice(answer.text(outcome.tokens), finishOf(outcome)),
      usage: usage(request, outcome),
      metadata: { weight_version: "default" },
    }),
  };
}

/** SGLang's own: each chunk has the whole text so far. */
function generateShape(request: GenerateRequest): AnswerShape {
  const { answer } = request;
  const soFar = (tokens: number, outcome: Outcome | null) => ({
    text: answer.text(tokens),
    output_ids: Array.from({ length: tokens }, (_, index) => index),
    meta_info: {
      id: request.id,
      finish_reason: outcome && generateFinish(outcome),
      prompt_tokens: request.promptTokens,
      completion_tokens: tokens,
      cached_tokens: 0,
      weight_version: "default",
    },
  });
  return {
    opening: () => [],
    token: (index) => soFar(index + 1, null),
    closing: (outcome) => [soFar(outcome.tokens, outcome)],
    whole: (outcome) => soFar(outcome.tokens, outcome),
  };
}

const NOT_FINISHED = { finish_reason: null, matched_stop: null };

function finishOf(outcome: Outcome) {
  return { finish_reason: outcome.finish, matched_stop: outcome.finish === "stop" ? END_TOKEN : null };
}

function generateFinish(outcome: Outcome) {
  return outcome.finish === "stop" ? { type: "stop", matched: END_TOKEN } : { type: "length", length: outcome.tokens };
}

function usage(request: GenerateRequest, outcome: Outcome) {
  return {
    prompt_tokens: request.promptTokens,
    total_tokens: request.promptTokens + outcome.tokens,
    completion_tokens: outcome.tokens,
    prompt_tokens_details: null,
    reasoning_tokens: 0,
  };
}
