/** What may be under way in one direction of one stream: enough for 2.5 MB/s over a round trip of 100 ms. */
export const WINDOW_BYTES = 256 * 1024;

/** The most that a data frame carries, so that no stream holds the socket for long. */
export const DATA_BYTES_MAX = 64 * 1024;

/**
 * What a data frame costs of the window at least. It bounds how many frames a sender can make a receiver hold
 * (4096 per stream), however small they are.
 */
export const DATA_COST_MIN = 64;

/** Credit is returned in pieces of this size. Less than the window by far, so that a sender never starves for it. */
export const CREDIT_BYTES_MIN = WINDOW_BYTES / 4;

/** A body known whole and no larger than this travels inside the frame that opens or answers its stream. */
export const WHOLE_BODY_BYTES_MAX = 64 * 1024;

/** The JSON of an open or a head. Node's own limit for a request's headers is 16 KiB. */
export const HEAD_BYTES_MAX = 64 * 1024;

/** A reason for people, cut to this many characters. */
export const REASON_CHARS_MAX = 500;

/** The largest frame: a head, a whole body, and what surrounds them (a dozen bytes). */
export const FRAME_BYTES_MAX = HEAD_BYTES_MAX + WHOLE_BODY_BYTES_MAX + 64;

/** The largest message: what every WebSocket platform takes. Also a socket's `maxPayload`. */
export const MESSAGE_BYTES_MAX = 1024 * 1024;

/** Streams that one side may have open at a time. With the window it bounds what a link can make its other end hold. */
export const OPEN_STREAMS_MAX = 1024;

/** Bodies wait while this much is unsent: a slow socket then holds streams back instead of filling memory. */
export const UNSENT_BYTES_SOFT = 1024 * 1024;

/** Heads, credits and resets do not wait; an end that lets this much of them pile up is cut off. */
export const UNSENT_BYTES_MAX = 16 * 1024 * 1024;

/** Stream ids are 32 bits. After the last one the link closes and is dialled again: once in 2 thousand million requests. */
export const STREAM_ID_MAX = 0xffff_ffff;

/** What a data frame of this size takes from the window. Both ends count alike. */
export function dataCost(bytes: number): number {
  return Math.max(bytes, DATA_COST_MIN);
}
