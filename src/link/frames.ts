import { LinkError } from "./errors.ts";
import {
  DATA_BYTES_MAX,
  FRAME_BYTES_MAX,
  HEAD_BYTES_MAX,
  MESSAGE_BYTES_MAX,
  REASON_CHARS_MAX,
  WHOLE_BODY_BYTES_MAX,
  WINDOW_BYTES,
} from "./limits.ts";

/**
 * A message is `(u32 length | frame)*`, a frame `u8 type | u32 stream | rest`, numbers big-endian. Rests:
 * - open, head: `u8 body | u32 length | JSON | bytes of a whole body`
 * - data: bytes, at least one
 * - end: nothing
 * - reset: the reason, UTF-8
 * - credit: `u32 bytes`
 */
export type Frame =
  | { type: "open" | "head"; stream: number; head: unknown; body: FrameBody }
  | { type: "data"; stream: number; bytes: Uint8Array }
  | { type: "end"; stream: number }
  | { type: "reset"; stream: number; reason: string }
  | { type: "credit"; stream: number; bytes: number };

/** null: there is none; `stream`: data frames and an end follow. */
export type FrameBody = Uint8Array | "stream" | null;

export const TYPE = { open: 1, head: 2, data: 3, end: 4, reset: 5, credit: 6 } as const;
export const BODY = { none: 0, whole: 1, stream: 2 } as const;
const TYPES = ["open", "head", "data", "end", "reset", "credit"] as const;

export const LENGTH_BYTES = 4;
/** Of every frame: its type and its stream. */
export const PREFIX_BYTES = 5;
/** Of an open or a head: what its body is, and how long its JSON. */
export const HEAD_PREFIX_BYTES = 5;
/** A character is at most 3 bytes of UTF-8 for each unit of a JavaScript string. */
const REASON_BYTES_MAX = REASON_CHARS_MAX * 3;

const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads a whole message. Bytes of bodies are views of the message, not copies.
 * @throws LinkError `protocol` for whatever `MessageWriter` cannot have made.
 */
export function decodeMessage(message: Uint8Array): Frame[] {
  if (message.byteLength > MESSAGE_BYTES_MAX) throw broken(`a message of ${message.byteLength} bytes`);
  // A plain view, since a Node Buffer's `slice` would share memory where a Uint8Array's copies.
  const bytes = new Uint8Array(message.buffer, message.byteOffset, message.byteLength);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames: Frame[] = [];
  let at = 0;
  while (at < bytes.byteLength) {
    if (at + LENGTH_BYTES > bytes.byteLength) throw broken("a message that ends inside a length");
    const length = view.getUint32(at);
    at += LENGTH_BYTES;
    if (length < PREFIX_BYTES || length > FRAME_BYTES_MAX) throw broken(`a frame of ${length} bytes`);
    if (at + length > bytes.byteLength) throw broken("a message that ends inside a frame");
    frames.push(decodeFrame(view.getUint8(at), view.getUint32(at + 1), bytes.subarray(at + PREFIX_BYTES, at + length)));
    at += length;
  }
  return frames;
}

function decodeFrame(code: number, stream: number, rest: Uint8Array): Frame {
  const type = TYPES[code - 1];
  if (type === undefined) throw broken(`a frame of unknown type ${code}`);
  if (stream === 0) throw broken("stream 0");
  switch (type) {
    case "open":
    case "head":
      return { type, stream, ...decodeHead(rest) };
    case "data":
      if (rest.byteLength === 0 || rest.byteLength > DATA_BYTES_MAX) throw broken(`data of ${rest.byteLength} bytes`);
      return { type, stream, bytes: rest };
    case "end":
      if (rest.byteLength !== 0) throw broken("an end with something in it");
      return { type, stream };
    case "reset":
      if (rest.byteLength > REASON_BYTES_MAX) throw broken("a reason that is too long");
      return { type, stream, reason: decodeText(rest) };
    case "credit":
      return { type, stream, bytes: decodeCredit(rest) };
  }
}

function decodeHead(rest: Uint8Array): { head: unknown; body: FrameBody } {
  if (rest.byteLength < HEAD_PREFIX_BYTES) throw broken("a head that is too short");
  const kind = rest[0];
  const jsonBytes = new DataView(rest.buffer, rest.byteOffset).getUint32(1);
  if (jsonBytes > HEAD_BYTES_MAX || HEAD_PREFIX_BYTES + jsonBytes > rest.byteLength) {
    throw broken(`a head of ${jsonBytes} bytes`);
  }
  const bytes = rest.subarray(HEAD_PREFIX_BYTES + jsonBytes);
  if (bytes.byteLength > WHOLE_BODY_BYTES_MAX) throw broken(`a whole body of ${bytes.byteLength} bytes`);
  if (kind !== BODY.whole && bytes.byteLength > 0) throw broken("a body where none was said to be");
  const head = decodeJson(rest.subarray(HEAD_PREFIX_BYTES, HEAD_PREFIX_BYTES + jsonBytes));
  if (kind === BODY.none) return { head, body: null };
  if (kind === BODY.stream) return { head, body: "stream" };
  if (kind === BODY.whole) return { head, body: bytes };
  throw broken(`a body of unknown kind ${kind}`);
}

function decodeCredit(rest: Uint8Array): number {
  if (rest.byteLength !== 4) throw broken("a credit that is no number");
  const bytes = new DataView(rest.buffer, rest.byteOffset).getUint32(0);
  if (bytes === 0 || bytes > WINDOW_BYTES) throw broken(`a credit of ${bytes} bytes`);
  return bytes;
}

function decodeJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch {
    throw broken("a head that is not JSON");
  }
}

function decodeText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw broken("a reason that is not UTF-8");
  }
}

function broken(what: string): LinkError {
  return new LinkError("protocol", `the other end of the link sent ${what}`);
}
