import { Refusal } from "./errors.ts";
import { KEPT_BODIES_BYTES_MAX, KEPT_BODY_BYTES_MAX } from "./limits.ts";

/**
 * A request's body. `kept` can be sent again; a `stream` can be sent once, because it is large, or because the bodies
 * kept by this process are at their bound.
 */
export type RequestBody =
  | { kind: "none" }
  | { kind: "kept"; bytes: Uint8Array }
  | { kind: "stream"; stream: ReadableStream<Uint8Array>; contentLength: number | null };

/** The memory that kept bodies take, all together. */
export class KeptBodies {
  #bytes = 0;

  /** @returns whether there was room; then it must be released. */
  reserve(bytes: number): boolean {
    if (this.#bytes + bytes > KEPT_BODIES_BYTES_MAX) return false;
    this.#bytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/**
 * Takes a request's body, whole where it is small.
 * @param moved is told whenever something of it came.
 * @returns the body, and what it reserved, to be released with the request.
 */
export async function takeBody(
  request: Request,
  kept: KeptBodies,
  moved: () => void,
): Promise<{ body: RequestBody; reservedBytes: number }> {
  const none: RequestBody = { kind: "none" };
  const length = lengthOf(request.headers);
  if (request.method === "GET" || request.method === "HEAD" || length === 0) return { body: none, reservedBytes: 0 };
  const reservedBytes = length ?? KEPT_BODY_BYTES_MAX;
  // On Node `request.body` makes a whole new request, so a body that can be had without it is.
  if (reservedBytes > KEPT_BODY_BYTES_MAX || !kept.reserve(reservedBytes)) {
    if (request.body === null) return { body: none, reservedBytes: 0 };
    return { body: streamed([], request.body.getReader(), length, moved), reservedBytes: 0 };
  }
  try {
    const body = length === null ? await untilLarge(request.body, moved) : await whole(request);
    if (body.kind === "kept") return { body, reservedBytes };
    kept.release(reservedBytes);
    return { body, reservedBytes: 0 };
  } catch (error) {
    kept.release(reservedBytes);
    throw error;
  }
}

/** What the client says of its body; null: it comes in chunks until it ends. */
function lengthOf(headers: Headers): number | null {
  const value = headers.get("content-length");
  return value !== null && /^\d{1,15}$/.test(value) ? Number(value) : null;
}

async function whole(request: Request): Promise<RequestBody> {
  return { kind: "kept", bytes: new Uint8Array(await request.arrayBuffer()) };
}

/** Reads a body of unknown length for as long as it may be kept. */
async function untilLarge(source: ReadableStream<Uint8Array> | null, moved: () => void): Promise<RequestBody> {
  if (source === null) return { kind: "none" };
  const reader = source.getReader();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  while (bytes <= KEPT_BODY_BYTES_MAX) {
    const { done, value } = await reader.read();
    moved();
    if (done) return bytes === 0 ? { kind: "none" } : { kind: "kept", bytes: joined(chunks, bytes) };
    chunks.push(value);
    bytes += value.byteLength;
  }
  return streamed(chunks, reader, null, moved);
}

function streamed(
  first: Uint8Array[],
  reader: ReadableStreamDefaultReader<Uint8Array>,
  contentLength: number | null,
  moved: () => void,
): RequestBody {
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = first.shift();
        const { done, value } = next === undefined ? await reader.read() : { done: false, value: next };
        moved();
        if (done) controller.close();
        else controller.enqueue(value!);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
  return { kind: "stream", stream, contentLength };
}

function joined(chunks: Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

/**
 * The `model` that a body names.
 * @throws Refusal 400, or 413 for a body that is too large to look into.
 */
export function modelOf(body: RequestBody): string {
  if (body.kind === "stream") {
    throw new Refusal(
      413,
      "body_too_large",
      `only bodies of up to ${KEPT_BODY_BYTES_MAX} bytes are read for their model; send larger ones to /proxy/services/<project>/<service>/...`,
    );
  }
  const parsed = body.kind === "none" ? null : parsedJson(body.bytes);
  const model = typeof parsed === "object" && parsed !== null ? (parsed as { model?: unknown }).model : undefined;
  if (typeof model === "string" && model !== "") return model;
  throw new Refusal(400, "model_missing", 'the body must name a model: {"model": "<name>", ...}', "model");
}

function parsedJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new Refusal(400, "invalid_json", "the body is not JSON");
  }
}
