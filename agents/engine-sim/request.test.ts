import { describe, expect, it } from "vitest";
import { parseJson, parseObject } from "./json.ts";
import { readRequest } from "./request.ts";
import { readSettings } from "./settings.ts";

const { settings } = readSettings(["--model-path", "m", "--context-length", "100"]);
const read = (kind: "chat" | "completion" | "generate", body: string) =>
  readRequest(kind, parseObject(body), "id", settings);

describe("rooms", () => {
  it("keep all their digits, wherever they stand", () => {
    const text = '{"bootstrap_room":6280667732205302001,"rooms":[9223372036854775807,1],"n":1.5,"m":12}';
    expect(parseJson(text)).toEqual({
      bootstrap_room: "6280667732205302001",
      rooms: ["9223372036854775807", 1],
      n: 1.5,
      m: 12,
    });
  });

  it("are told apart by their last digit", () => {
    const room = (digits: string) =>
      read("completion", `{"prompt":"a","bootstrap_room":${digits},"bootstrap_host":"h","bootstrap_port":8998}`)
        .strands[0].meeting;
    expect(room("6280667732205302001")).toEqual({ room: "6280667732205302001", host: "h", port: 8998 });
    expect(room("6280667732205302002")?.room).toBe("6280667732205302002");
    expect(room("7")?.room).toBe("7");
    expect(room("null")).toBeNull();
    expect(() => room('"x"')).toThrow("bootstrap_room");
  });
});

describe("bodies", () => {
  it("of chats may have parts, and may fill the context", () => {
    const whole = read("chat", '{"messages":[{"role":"user","content":"hello there"}],"model":"x","stream":true}');
    const parts = read(
      "chat",
      '{"messages":[{"role":"user","content":[{"type":"text","text":"hello "},{"type":"text","text":"there"}]}]}',
    );
    expect(whole.strands[0].answer.promptHash).toBe(parts.strands[0].answer.promptHash);
    expect(whole).toMatchObject({ stream: true, model: "x", strands: [{ meeting: null }], promptTokens: 5 });
    expect(parts).toMatchObject({ stream: false, model: "m" });
  });

  it("of /generate have their limits in sampling_params", () => {
    const body = '{"text":"a","sampling_params":{"max_new_tokens":3,"ignore_eos":true},"rid":"mine"}';
    expect(read("generate", body)).toMatchObject({
      id: "mine",
      strands: [{ answer: { tokens: 3, finish: "length" } }],
    });
    expect(read("generate", '{"input_ids":[1,2,3],"sampling_params":{"max_new_tokens":1}}').promptTokens).toBe(3);
  });

  it("may ask for several answers, each with a room of its own and words of its own", () => {
    const { strands } = read("completion", '{"prompt":"a","n":3,"bootstrap_room":9223372036854775805}');
    expect(strands.map(({ meeting }) => meeting?.room)).toEqual([
      "9223372036854775805",
      "9223372036854775806",
      "9223372036854775807",
    ]);
    expect(new Set(strands.map(({ answer }) => answer.text(1000))).size).toBe(3);
  });

  it("may name a data-parallel rank, which the header overrides", () => {
    const body = parseObject('{"prompt":"a","routed_dp_rank":3}');
    expect(readRequest("completion", body, "id", settings).rank).toBe(3);
    expect(readRequest("completion", body, "id", settings, 1).rank).toBe(1);
    expect(read("completion", '{"prompt":"a"}').rank).toBeNull();
  });

  it("have no more of an answer than the cache can hold", () => {
    const small = readSettings(["--model-path", "m", "--max-total-tokens", "50"]).settings;
    const { strands } = readRequest("completion", { prompt: "abcd", max_tokens: 1000 }, "id", small);
    expect(strands[0].maxTokens).toBe(49);
    expect(() => readRequest("completion", { prompt: "a".repeat(200) }, "id", small)).toThrow("maximum allowed length");
  });

  const refused: ["chat" | "completion" | "generate", string, string][] = [
    ["chat", "{", "not JSON"],
    ["chat", "[]", "JSON object"],
    ["chat", '{"messages":[]}', "messages cannot be empty"],
    ["chat", '{"messages":[{"content":"x"}]}', "needs a role"],
    ["chat", '{"messages":[{"role":"user","content":"x"}],"max_tokens":0}', "max_tokens must be a whole number"],
    ["chat", '{"messages":[{"role":"user","content":"x"}],"n":129}', "n must be at most 128"],
    ["completion", '{"prompt":"a","max_tokens":100}', "Requested token count exceeds"],
    ["completion", `{"prompt":"${"a".repeat(400)}"}`, "longer than the model's context length"],
    ["completion", '{"prompt":["a","b"]}', "one prompt"],
  ];
  it.each(refused)("of %s are refused: %s", (kind, body, message) => {
    expect(() => read(kind, body)).toThrow(
      expect.objectContaining({ status: 400, message: expect.stringContaining(message) }),
    );
  });
});
