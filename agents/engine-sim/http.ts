import { Agent, type IncomingMessage, request, type ServerResponse } from "node:http";
import { EngineError } from "./errors.ts";

/** Prompts of a million tokens fit; anything larger is no prompt. */
const BODY_BYTES_MAX = 32 * 1024 * 1024;

/** @throws EngineError 413 for a body that is too large */
export async function readBody(stream: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of stream as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > BODY_BYTES_MAX) throw new EngineError(413, `the body is larger than ${BODY_BYTES_MAX} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  sendText(response, status, JSON.stringify(value), "application/json");
}

export function sendText(response: ServerResponse, status: number, text: string, type = "text/plain"): void {
  const body = Buffer.from(text);
  response.writeHead(status, { "content-type": type, "content-length": body.length });
  response.end(body);
}

/** Peers are asked often, and keep connections for 5 s (as SGLang's server does). */
const agent = new Agent({ keepAlive: true, timeout: 4_000 });

/**
 * Asks a peer.
 * @throws Error when it cannot be reached, or the signal's reason
 */
export function ask(
  method: "GET" | "POST" | "PUT" | "DELETE",
  url: string,
  signal: AbortSignal,
  body?: string,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(signal.aborted ? signal.reason : error);
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const asked = request(url, { method, agent, signal, headers }, (answer) => {
      readBody(answer).then((text) => resolve({ status: answer.statusCode ?? 0, body: text }), fail);
    });
    asked.on("error", fail);
    asked.end(body);
  });
}
