import { createParser } from "eventsource-parser";

export interface Answer {
  status: number;
  text: string;
  /** Chunks that carried text, for streams. */
  chunks: number;
  finishReason: string | null;
  /** Whether a stream ended with `[DONE]` and without an error in it. */
  whole: boolean;
  body: string;
  /** The worker that wrote it, where the router says so: its URL. */
  worker: string | null;
}

interface Choice {
  message?: { content: string };
  delta?: { content?: string };
  finish_reason: string | null;
}

/**
 * One chat completion.
 * @param url of the service, without `/v1/...`
 * @param onChunk told how many chunks with text there were, at each of them
 * @throws what `fetch` throws: nothing answered, the connection broke, `signal` aborted
 */
export async function chat(
  url: string,
  token: string,
  over: { model: string; [field: string]: unknown },
  onChunk: (chunks: number) => void = () => {},
  signal: AbortSignal | null = null,
): Promise<Answer> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ messages: [{ role: "user", content: "Hello" }], max_tokens: 16, ...over }),
    signal,
  });
  const answer: Answer = {
    status: response.status,
    text: "",
    chunks: 0,
    finishReason: null,
    whole: false,
    body: "",
    worker: response.headers.get("x-smg-routed-worker-id"),
  };
  if (over.stream !== true || response.status !== 200) {
    answer.body = await response.text();
    if (response.status !== 200) return answer;
    const [choice] = (JSON.parse(answer.body) as { choices: Choice[] }).choices;
    return {
      ...answer,
      text: choice?.message?.content ?? "",
      finishReason: choice?.finish_reason ?? null,
      whole: true,
    };
  }
  let failed = false;
  const parser = createParser({
    onEvent: ({ data }) => {
      if (data === "[DONE]") {
        answer.whole = !failed;
        return;
      }
      const event = JSON.parse(data) as { choices?: Choice[]; error?: unknown };
      if (event.error) failed = true;
      const [choice] = event.choices ?? [];
      if (choice?.delta?.content) {
        answer.text += choice.delta.content;
        answer.chunks += 1;
        onChunk(answer.chunks);
      }
      answer.finishReason ??= choice?.finish_reason ?? null;
    },
  });
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    const text = decoder.decode(chunk as Uint8Array, { stream: true });
    answer.body += text;
    parser.feed(text);
  }
  return answer;
}
