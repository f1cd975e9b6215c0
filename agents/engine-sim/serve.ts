import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type AnswerShape, answerShape } from "./answer-shapes.ts";
import type { Clock } from "./clock.ts";
import type { Engine } from "./engine.ts";
import { EngineError } from "./errors.ts";
import { readBody, sendJson } from "./http.ts";
import { parseObject } from "./json.ts";
import type { RequestRecord } from "./record.ts";
import { type GenerateRequest, type RequestKind, readRequest } from "./request.ts";
import { RequestTimer } from "./request-timer.ts";
import type { Settings } from "./settings.ts";
import type { Telemetry } from "./telemetry.ts";

/** What is noted of an answer. */
export type Note = Omit<RequestRecord, "role">;

export interface Serving {
  settings: Settings;
  clock: Clock;
  engine: Engine;
  telemetry: Telemetry;
  /** Requests that were read and not yet answered, by their id; a request may be aborted by it. */
  open: Map<string, AbortController>;
  record(note: Note): void;
}

/** Serves one request for text, streamed or whole. The engine gives it up when its client leaves. */
export async function serveText(
  kind: RequestKind,
  request: IncomingMessage,
  response: ServerResponse,
  serving: Serving,
): Promise<void> {
  const id = randomUUID().replaceAll("-", "");
  const left = new AbortController();
  response.on("close", () => left.abort(new Error("the client left")));
  let asked: GenerateRequest;
  try {
    asked = readRequest(kind, parseObject(await readBody(request)), id, serving.settings, rankOf(request));
  } catch (error) {
    serving.record({ ...NOTHING, id, ...failure(error, left.signal) });
    if (!left.signal.aborted) sendError(kind, response, error);
    return;
  }
  serving.open.set(asked.id, left);
  try {
    await serve(asked, response, serving, left.signal);
  } finally {
    serving.open.delete(asked.id);
  }
}

async function serve(asked: GenerateRequest, response: ServerResponse, serving: Serving, left: AbortSignal) {
  const { settings, engine, record, clock, telemetry } = serving;
  const notes = asked.strands.map((strand) => ({
    ...NOTHING,
    id: asked.id,
    stream: asked.stream,
    promptHash: strand.answer.promptHash,
    room: strand.meeting?.room ?? null,
  }));
  const timesTokens = settings.mode !== "prefill";
  const timers = asked.strands.map(() => new RequestTimer(clock, telemetry, asked, timesTokens));
  const shape = answerShape(asked, settings, Math.floor(Date.now() / 1000));
  const onToken = asked.stream ? streamTokens(response, shape) : () => {};
  try {
    const outcomes = await engine.generate(
      asked,
      (answer, index) => {
        (notes[answer] as Note).tokens = index + 1;
        timers[answer]?.token();
        onToken(answer, index);
      },
      left,
    );
    for (const [answer, outcome] of outcomes.entries()) {
      record({ ...(notes[answer] as Note), peer: outcome.peer });
      timers[answer]?.end(outcome, outcome.tokens);
    }
    if (asked.stream) endStream(response, shape.closing(outcomes));
    else sendJson(response, 200, shape.whole(outcomes));
  } catch (error) {
    for (const [answer, note] of notes.entries()) {
      record({ ...note, ...failure(error, left) });
      timers[answer]?.end(null, note.tokens);
    }
    if (!response.closed) sendError(asked.kind, response, error);
  }
}

const NOTHING: Note = {
  id: "",
  room: null,
  promptHash: null,
  peer: null,
  outcome: "success",
  error: null,
  tokens: 0,
  stream: false,
};

function failure(error: unknown, left: AbortSignal): Pick<Note, "outcome" | "error"> {
  const message = error instanceof Error ? error.message : String(error);
  return { outcome: left.aborted ? "aborted" : "failed", error: message };
}

function rankOf(request: IncomingMessage): number | null {
  const header = request.headers["x-data-parallel-rank"];
  return typeof header === "string" && /^\d{1,4}$/.test(header) ? Number(header) : null;
}

/** The head of a stream goes out with the first token, so that what fails before has a status of its own. */
function streamTokens(response: ServerResponse, shape: AnswerShape): (answer: number, index: number) => void {
  return (answer, index) => {
    if (!response.headersSent) {
      response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
    }
    if (index === 0) for (const chunk of shape.opening(answer)) writeEvent(response, chunk);
    writeEvent(response, shape.token(answer, index));
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
