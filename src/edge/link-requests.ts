import { LinkError, type LinkErrorCode } from "../link/errors.ts";
import { flowOf, streamOf } from "../link/flows.ts";
import { WHOLE_BODY_BYTES_MAX } from "../link/limits.ts";
import type { LinkAnswerHead, LinkBody, ReceivedAnswer, ReceivedBody } from "../link/types.ts";
import type { OpenToReplica } from "../proxy/types.ts";
import { edgeGlobals, type FetchStub, fromBase64, inBase64 } from "./platform.ts";

/**
 * Requests over a link that ends in another object, carried there by `fetch`: heads as JSON in a header, bodies as they
 * are. Both directions are here, so that they agree.
 */

export const REQUEST_PATH = "/request";
/** Whether the host has a link: 204 or 404. */
export const LINKED_PATH = "/linked";
/** The same, once it has one, or none is expected any more. */
export const LINK_BACK_PATH = "/linked/back";
const OPEN_HEADER = "x-headrace-open";
const ANSWER_HEADER = "x-headrace-answer";
const FAILED_HEADER = "x-headrace-failed";
const BODY_HEADER = "x-headrace-body";

/**
 * A body of no more than this goes in a header, in base64: a body of its own is a stream that the platform carries and the
 * object has to read, which costs a fifth of all that a small request does. The platform takes 128 KB of headers.
 */
const BODY_IN_HEADER_BYTES_MAX = 16 * 1024;

/** What a body may have waiting for a reader, so that the pieces of several turns go on as one where they come fast. */
const AHEAD_BYTES = 16 * 1024;

interface AnswerHead extends LinkAnswerHead {
  /** The body is here in one piece. */
  whole: boolean;
  watched: boolean;
}

/** @throws LinkError as the link itself would */
export async function requestOverLink(
  stub: FetchStub,
  open: unknown,
  body: LinkBody,
  signal: AbortSignal | undefined,
): Promise<ReceivedAnswer> {
  let response: Response;
  try {
    const request = new Request(`https://link${REQUEST_PATH}`, {
      method: "POST",
      ...carried(open, body),
      ...(signal ? { signal } : {}),
    });
    response = await stub.fetch(request);
  } catch (error) {
    if (signal?.aborted) throw new LinkError("aborted", "the request was cancelled");
    // The object was moved or restarted; whether the host has seen anything is not known.
    throw new LinkError("reset", `the link was interrupted: ${error instanceof Error ? error.message : String(error)}`);
  }
  const failed = response.headers.get(FAILED_HEADER);
  if (failed !== null) {
    const { code, message, sent } = JSON.parse(failed) as { code: LinkErrorCode; message: string; sent: boolean };
    throw new LinkError(code, message, sent || isSpent(body));
  }
  const head = JSON.parse(response.headers.get(ANSWER_HEADER) ?? "null") as AnswerHead;
  const { status, headers } = head;
  return { head: { status, headers }, body: received(response.body, head) };
}

/** Asks whether the host's link is there: now, or waiting for one that is expected back. */
export async function isLinked(
  stub: FetchStub,
  path: typeof LINKED_PATH | typeof LINK_BACK_PATH,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    return (await stub.fetch(new Request(`https://link${path}`, signal ? { signal } : {}))).status === 204;
  } catch {
    // Given up, or the object was moved or restarted.
    return false;
  }
}

export function linkedResponse(isLinked: boolean): Response {
  return new Response(null, { status: isLinked ? 204 : 404 });
}

/** Whether a body cannot be sent again once it was on its way to the object, which may have been given some of it. */
export function isSpent(body: LinkBody): boolean {
  return body !== null && !(body instanceof Uint8Array);
}

/** A request's head and body, as they go to the object. */
function carried(open: unknown, body: LinkBody): RequestInit & { duplex?: "half" } {
  const headers = { [OPEN_HEADER]: inHeader(open) };
  if (body instanceof Uint8Array) {
    if (body.byteLength > BODY_IN_HEADER_BYTES_MAX) return { headers, body: body as BodyInit };
    return { headers: { ...headers, [BODY_HEADER]: inBase64(body) } };
  }
  if (body === null) return { headers };
  return { headers, body: body instanceof ReadableStream ? body : streamOf(body), duplex: "half" };
}

function received(body: ReadableStream<Uint8Array> | null, { whole, watched }: AnswerHead): ReceivedBody {
  if (body === null) return null;
  const flow = flowOf(body);
  if (watched) flow.passOn = whole ? (over) => passedOnWhole(body, over) : (over) => passedOn(body, over);
  return flow;
}

/** All of it is on its way already, and nothing of it has to be read here. */
function passedOnWhole(body: ReadableStream<Uint8Array>, over: () => void): ReadableStream<Uint8Array> {
  over();
  return body;
}

/** The same bytes, which the platform passes on by itself. */
function passedOn(body: ReadableStream<Uint8Array>, over: () => void): ReadableStream<Uint8Array> {
  const { readable, writable } = new (edgeGlobals().IdentityTransformStream)();
  body.pipeTo(writable).then(over, over);
  return readable;
}

/** Whether somebody's request to a replica is opened, rather than something of our own. */
export function isProxied(open: unknown): open is OpenToReplica {
  return (open as Partial<OpenToReplica> | null)?.kind === "http";
}

/** What such a request asks of the link. @throws Error when it is none */
export function openedBy(request: Request): unknown {
  return JSON.parse(request.headers.get(OPEN_HEADER) ?? "");
}

/** A small body in one piece, for the link to carry whole; a larger one, or one of unknown length, as it comes. */
export async function bodyOf(request: Request): Promise<LinkBody> {
  const small = request.headers.get(BODY_HEADER);
  if (small !== null) return fromBase64(small);
  if (request.body === null) return null;
  const length = Number(request.headers.get("content-length") ?? Number.POSITIVE_INFINITY);
  return length <= WHOLE_BODY_BYTES_MAX ? new Uint8Array(await request.arrayBuffer()) : request.body;
}

/** @param watched whether what comes of the body is seen to before it gets here */
export function answerResponse({ head, body }: ReceivedAnswer, watched: boolean): Response {
  const whole = body === null || body instanceof Uint8Array;
  const headers = { [ANSWER_HEADER]: inHeader({ ...head, whole, watched } satisfies AnswerHead) };
  if (body === null) return new Response(null, { headers });
  return new Response(whole ? new Uint8Array(body as Uint8Array) : streamOf(body, AHEAD_BYTES), { headers });
}

export function failureResponse(error: unknown): Response {
  const { code, message, sent } =
    error instanceof LinkError ? error : new LinkError("reset", error instanceof Error ? error.message : String(error));
  return new Response(null, { headers: { [FAILED_HEADER]: inHeader({ code, message, sent }) } });
}

/** JSON with nothing but printable ASCII, which a header can carry. */
function inHeader(value: unknown): string {
  return JSON.stringify(value).replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
