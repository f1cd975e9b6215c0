import { describe, expect, it } from "vitest";
import { answerShape } from "./answer-shapes.ts";
import { type RequestKind, readRequest } from "./request.ts";
import { readSettings } from "./settings.ts";

const outcome = { finish: "stop", tokens: 2, cachedTokens: 0, peer: null } as const;

function shape(kind: RequestKind, body: Record<string, unknown>, version = "0.5.23") {
  const { settings } = readSettings(["--model-path", "m", "--sim-version", version]);
  return answerShape(readRequest(kind, body, "r", settings), settings, 1_760_000_000);
}

describe("a streamed chat", () => {
  const body = { messages: [{ role: "user", content: "hello" }], stream_options: { include_usage: true } };
  const head = '{"id":"r","object":"chat.completion.chunk","created":1760000000,"model":"m",';

  it("has the bytes of SGLang 0.5.23", () => {
    const chat = shape("chat", body);
    const text = JSON.stringify(
      (chat.token(0, 0) as { choices: [{ delta: { content: string } }] }).choices[0].delta.content,
    );
    expect(
      [...chat.opening(0), chat.token(0, 0), ...chat.closing([outcome])].map((chunk) => JSON.stringify(chunk)),
    ).toEqual([
      `${head}"choices":[{"index":0,"delta":{"reasoning_content":null,"role":"assistant","content":""},"logprobs":null,"finish_reason":null,"matched_stop":null}]}`,
      `${head}"choices":[{"index":0,"delta":{"reasoning_content":null,"content":${text}},"logprobs":null,"finish_reason":null,"matched_stop":null}]}`,
      `${head}"choices":[{"index":0,"delta":{"reasoning_content":null},"logprobs":null,"finish_reason":"stop","matched_stop":151645}]}`,
      `${head}"choices":[],"usage":{"prompt_tokens":3,"total_tokens":5,"completion_tokens":2,"prompt_tokens_details":null,"reasoning_tokens":0}}`,
    ]);
  });

  it("names every member in 0.5.10", () => {
    expect(shape("chat", body, "0.5.10").opening(0)).toMatchObject([
      {
        choices: [{ delta: { role: "assistant", content: "", reasoning_content: null, tool_calls: null } }],
        usage: null,
      },
    ]);
  });

  it("has usage only when asked for", () => {
    expect(shape("chat", { messages: body.messages }).closing([outcome])).toHaveLength(1);
  });
});

it("says in its chunks what it says as a whole", () => {
  for (const kind of ["chat", "completion"] as const) {
    const body = kind === "chat" ? { messages: [{ role: "user", content: "hello" }] } : { prompt: "hello" };
    const form = shape(kind, body);
    const of = (value: unknown) =>
      (value as { choices: [{ delta?: { content: string }; message?: { content: string }; text?: string }] })
        .choices[0];
    const textOf = (value: unknown) => of(value).delta?.content ?? of(value).message?.content ?? of(value).text;
    expect([0, 1].map((index) => textOf(form.token(0, index))).join("")).toBe(textOf(form.whole([outcome])));
  }
});

it("repeats the text so far in each chunk of /generate", () => {
  const form = shape("generate", { text: "hello" });
  expect(form.token(0, 1)).toMatchObject({
    output_ids: [0, 1],
    meta_info: { finish_reason: null, completion_tokens: 2 },
  });
  expect(form.closing([outcome])).toMatchObject([{ meta_info: { finish_reason: { type: "stop" }, id: "r" } }]);
});

describe("several answers", () => {
  const body = { messages: [{ role: "user", content: "hello" }], n: 2, ignore_eos: true, max_tokens: 3 };

  it("have a place each, and count their prompt once", () => {
    const whole = shape("chat", body).whole([outcome, { ...outcome, finish: "length", tokens: 3 }]);
    expect(whole).toMatchObject({
      choices: [
        { index: 0, finish_reason: "stop" },
        { index: 1, finish_reason: "length" },
      ],
      usage: { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 },
    });
    const [first, second] = (whole as { choices: { message: { content: string } }[] }).choices;
    expect(first?.message.content).not.toBe(second?.message.content);
  });

  it("are a list, or chunks with their place, from /generate", () => {
    const form = shape("generate", { text: "hello", sampling_params: { n: 2, max_new_tokens: 2 } });
    expect(form.whole([outcome, outcome])).toHaveLength(2);
    expect(form.token(1, 0)).toMatchObject({ index: 1, output_ids: [0] });
  });
});

it("tells cached tokens where that is asked for", () => {
  const { settings } = readSettings(["--model-path", "m", "--enable-cache-report"]);
  const request = readRequest("completion", { prompt: "hello" }, "r", settings);
  expect(answerShape(request, settings, 0).whole([{ ...outcome, cachedTokens: 64 }])).toMatchObject({
    usage: { prompt_tokens_details: { cached_tokens: 64 } },
  });
});
