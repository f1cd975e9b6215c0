import { Agent, type IncomingHttpHeaders, type IncomingMessage, request as requestPlainly } from "node:http";
import { request as requestSecurely, Agent as SecureAgent } from "node:https";

export interface HttpRequest {
  method: string;
  headers: Record<string, string | string[]>;
  body: string | Uint8Array | null;
  /** Ends all of it, from connecting to the last byte of the answer. */
  signal: AbortSignal;
  /** A longer answer is an error. */
  answerBytesMax: number;
  /** Connections that are kept for further requests; false = one for this request alone. */
  agent: Agent | false;
}

export interface HttpAnswer {
  status: number;
  text: string;
}

/** The answer is longer than anything that was to be expected. */
export class AnswerTooLarge extends Error {
  override name = "AnswerTooLarge";
}

/** Connections to be kept to a server. */
export function keptConnections(server: string): Agent {
  return isSecure(server) ? new SecureAgent({ keepAlive: true }) : new Agent({ keepAlive: true });
}

/**
 * Sends one request and reads its answer whole. Redirects are not followed.
 * @param url `http://` or `https://`
 * @throws AnswerTooLarge; what `signal` was aborted with; or why there is no whole answer
 */
export async function sendRequest(url: string, request: HttpRequest): Promise<HttpAnswer> {
  const { status, body } = await requestBytes(url, request);
  return { status, text: body.toString("utf8") };
}

/** Like `sendRequest`, for an answer that is no text, or of which more than that is wanted. */
export async function requestBytes(
  url: string,
  request: HttpRequest,
): Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }> {
  const { signal, answerBytesMax } = request;
  try {
    const answer = await headOf(url, request);
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > answerBytesMax) throw new AnswerTooLarge(`the answer is larger than ${answerBytesMax} bytes`);
      chunks.push(chunk);
    }
    return { status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) };
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}

function headOf(url: string, { method, headers, body, signal, agent }: HttpRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const send = isSecure(url) ? requestSecurely : requestPlainly;
    // Node says it by itself for some methods only.
    const length = body === null ? {} : { "content-length": String(Buffer.byteLength(body)) };
    const sent = send(url, { method, headers: { ...headers, ...length }, agent, signal }, resolve);
    sent.on("error", reject);
    // An answer that changes protocols is none, and closes without an error.
    sent.on("close", () => reject(new Error("the connection was closed before an answer")));
    sent.end(body ?? undefined);
  });
}

function isSecure(url: string): boolean {
  return url.startsWith("https:");
}
