import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type AnswerShape, answerShape } from "./answer-shapes.ts";
import type { Engine } from "./engine.ts";
import { EngineError } from "./errors.ts";
import { readBody, sendJson } from "./http.ts";
import { parseObject } from "./json.ts";
import type { RequestRecord } from "./record.ts";
import { type GenerateRequest, type RequestKind, readRequest } from "./request.ts";
import type { Settings } from "./settings.ts";

export interface Serving {
  settings: Settings;
  engine: Engine;
  record(record: Omit<RequestRecord, "role">): void;
}

/** Serves one request for text, streamed or whole. The engine gives it up when its client leaves. */
export async function serveText(
  kind: RequestKind,
  request: IncomingMessage,
  response: ServerResponse,
  { settings, engine, record }: Serving,
): Promise<void> {
  const left = new AbortController();
  response.on("close", () => left.abort(new Error("the client left")));
  const noted: Omit<RequestRecord, "role"> = {
    id: randomUUID().replaceAll("-", ""),
    room: null,
    promptHash: null,
    peer: null,
    outcome: "success",
    error: null,
    tokens: 0,
    stream: false,
  };
  try {
    const asked = readRequest(kind, parseObject(await readBody(request)), noted.id, settings);
    Object.assign(noted, { id: asked.id, stream: asked.stream, promptHash: asked.answer.promptHash });
    noted.room = asked.meeting?.room ?? null;
    const shape = answerShape(asked, settings, Math.floor(Date.now() / 1000));
    const onToken = asked.stream ? streamTokens(response, shape) : () => {};
    const outcome = await engine.generate(
      asked,
      (index) => {
        noted.tokens = index + 1;
        onToken(index);
      },
      left.signal,
    );
    noted.peer = outcome.peer;
    record(noted);
    if (asked.stream) endStream(response, shape.closing(outcome));
    else sendJson(response, 200, shape.whole(outcome));
  } catch (error) {
    noted.outcome = left.signal.aborted ? "aborted" : "failed";
    noted.error = error instanceof Error ? error.message : String(error);
    record(noted);
    if (!left.signal.aborted) sendError(kind, response, error);
  }
}

/** The head of a stream goes out with the first token, so that what fails before has a status of its own. */
function streamTokens(response: ServerResponse, shape: AnswerShape): (index: number) => void {
  return (index) => {
    if (!response.headersSent) {
      response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
      for (const chunk of shape.opening()) writeEvent(response, chunk);
    }
    writeEvent(response, shape.token(index));
  };
}

function writeEvent(response: ServerResponse, value: unknown): void {
  response.write(`data: ${JSON.stringify(value)}\n\n`);
}

function endStream(response: ServerResponse, closing: unknown[]): void {
  for (const chunk of closing) writeEvent(response, chunk);
  response.end("data: [DONE]\n\n");
}

/** OpenAI's routes have SGLang's flat errors; within a stream, whose status has gone out, they are wrapped once. */
export function sendError(kind: GenerateRequest["kind"], response: ServerResponse, cause: unknown): void {
  const error = cause instanceof EngineError ? cause : new EngineError(500, String(cause));
  const flat = { object: "error", message: error.message, type: error.type, param: null, code: error.status };
  if (response.headersSent) endStream(response, [{ error: flat }]);
  else sendJson(response, error.status, kind === "generate" ? { error: { message: error.message } } : flat);
}
