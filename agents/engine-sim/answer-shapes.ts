import type { PlannedAnswer } from "./answer.ts";
import type { GenerateRequest } from "./request.ts";
import type { Outcome } from "./roles/role.ts";
import type { Settings } from "./settings.ts";

/** How answers are written, for one way of asking. `choice` says which of several answers; every method returns JSON. */
export interface AnswerShape {
  /** What an answer's part of a stream begins with. */
  opening(choice: number): unknown[];
  /** The token at this place of the answer. */
  token(choice: number, index: number): unknown;
  /** What a stream ends with, before `[DONE]`. */
  closing(outcomes: Outcome[]): unknown[];
  /** All answers, whole. */
  whole(outcomes: Outcome[]): unknown;
}

/** The id of the end-of-turn token, as a Qwen model reports it. */
const END_TOKEN = 151_645;

/** @param created seconds since 1970 */
export function answerShape(request: GenerateRequest, settings: Settings, created: number): AnswerShape {
  if (request.kind === "chat") return chatShape(request, settings, created);
  if (request.kind === "completion") return completionShape(request, settings, created);
  return generateShape(request);
}

/** 0.5.23 writes the members that are set; 0.5.10 writes all of a delta's. */
function chatShape(request: GenerateRequest, settings: Settings, created: number): AnswerShape {
  const { id, model } = request;
  const allMembers = settings.version === "0.5.10";
  const delta = (set: { role?: string; content?: string }) =>
    allMembers
      ? { role: set.role ?? null, content: set.content ?? null, reasoning_content: null, tool_calls: null }
      : { reasoning_content: null, ...set };
  const chunk = (index: number, set: { role?: string; content?: string }, end: ReturnType<typeof finishOf> | null) => ({
    id,
    object: "chat.completion.chunk",
    created,
    model,
    choices: [{ index, delta: delta(set), logprobs: null, ...(end ?? NOT_FINISHED) }],
    ...(allMembers ? { usage: null } : {}),
  });
  const head = { id, object: "chat.completion.chunk", created, model };
  return {
    opening: (choice) => [chunk(choice, { role: "assistant", content: "" }, null)],
    token: (choice, index) => chunk(choice, { content: answerOf(request, choice).token(index) }, null),
    closing: (outcomes) => [
      ...outcomes.map((outcome, choice) => chunk(choice, {}, finishOf(outcome))),
      ...usageChunk(head, request, settings, outcomes),
    ],
    whole: (outcomes) => ({
      ...head,
      object: "chat.completion",
      choices: outcomes.map((outcome, index) => ({
        index,
        message: {
          role: "assistant",
          content: answerOf(request, index).text(outcome.tokens),
          reasoning_content: null,
          tool_calls: null,
        },
        logprobs: null,
        ...finishOf(outcome),
      })),
      usage: usage(request, settings, outcomes),
      metadata: { weight_version: "default" },
    }),
  };
}

function completionShape(request: GenerateRequest, settings: Settings, created: number): AnswerShape {
  const { id, model } = request;
  const head = { id, object: "text_completion", created, model };
  const choiceOf = (index: number, text: string, end: ReturnType<typeof finishOf> | null) => ({
    index,
    text,
    logprobs: null,
    ...(end ?? NOT_FINISHED),
  });
  const chunk = (...choice: Parameters<typeof choiceOf>) => ({ ...head, choices: [choiceOf(...choice)], usage: null });
  return {
    opening: () => [],
    token: (choice, index) => chunk(choice, answerOf(request, choice).token(index), null),
    closing: (outcomes) => [
      ...outcomes.map((outcome, choice) => chunk(choice, "", finishOf(outcome))),
      ...usageChunk(head, request, settings, outcomes),
    ],
    whole: (outcomes) => ({
      ...head,
      choices: outcomes.map((outcome, index) =>
        choiceOf(index, answerOf(request, index).text(outcome.tokens), finishOf(outcome)),
      ),
      usage: usage(request, settings, outcomes),
      metadata: { weight_version: "default" },
    }),
  };
}

/** SGLang's own: each chunk has the whole text so far. Several answers are a list, or chunks with their place. */
function generateShape(request: GenerateRequest): AnswerShape {
  const isOne = request.strands.length === 1;
  const soFar = (choice: number, tokens: number, outcome: Outcome | null) => ({
    text: answerOf(request, choice).text(tokens),
    output_ids: Array.from({ length: tokens }, (_, index) => index),
    meta_info: {
      id: request.id,
      finish_reason: outcome && generateFinish(outcome),
      prompt_tokens: request.promptTokens,
      completion_tokens: tokens,
      cached_tokens: outcome?.cachedTokens ?? 0,
      weight_version: "default",
    },
  });
  const part = (...of: Parameters<typeof soFar>) => ({ ...soFar(...of), ...(isOne ? {} : { index: of[0] }) });
  return {
    opening: () => [],
    token: (choice, index) => part(choice, index + 1, null),
    closing: (outcomes) => outcomes.map((outcome, choice) => part(choice, outcome.tokens, outcome)),
    whole: (outcomes) => {
      const all = outcomes.map((outcome, choice) => soFar(choice, outcome.tokens, outcome));
      return isOne ? all[0] : all;
    },
  };
}

const NOT_FINISHED = { finish_reason: null, matched_stop: null };

function answerOf(request: GenerateRequest, choice: number): PlannedAnswer {
  return (request.strands[choice] ?? request.strands[0]).answer;
}

function finishOf(outcome: Outcome) {
  return { finish_reason: outcome.finish, matched_stop: outcome.finish === "stop" ? END_TOKEN : null };
}

function generateFinish(outcome: Outcome) {
  return outcome.finish === "stop" ? { type: "stop", matched: END_TOKEN } : { type: "length", length: outcome.tokens };
}

function usageChunk(head: object, request: GenerateRequest, settings: Settings, outcomes: Outcome[]): unknown[] {
  return request.usageChunk ? [{ ...head, choices: [], usage: usage(request, settings, outcomes) }] : [];
}

/** The prompt counts once, however many answers it had. */
function usage(request: GenerateRequest, settings: Settings, outcomes: Outcome[]) {
  const tokens = outcomes.reduce((sum, outcome) => sum + outcome.tokens, 0);
  return {
    prompt_tokens: request.promptTokens,
    total_tokens: request.promptTokens + tokens,
    completion_tokens: tokens,
    prompt_tokens_details: settings.cacheReport ? { cached_tokens: outcomes[0]?.cachedTokens ?? 0 } : null,
    reasoning_tokens: 0,
  };
}
