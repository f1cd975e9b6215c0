import { flowOf, wholeOf } from "./flows.ts";
import type { Frame } from "./frames.ts";
import { MessageWriter } from "./message-writer.ts";
import type { LinkBody } from "./types.ts";

/** Helpers of this folder's tests. */

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** These frames as one message. */
export function messageOf(...frames: Frame[]): Uint8Array {
  const writer = new MessageWriter();
  for (const frame of frames) writer.add(frame);
  return writer.take();
}

/** The bytes of a body, joined. */
export async function bytesOf(body: LinkBody): Promise<Uint8Array> {
  return wholeOf(body instanceof ReadableStream ? flowOf(body) : body, Number.POSITIVE_INFINITY);
}

export async function textOf(body: LinkBody): Promise<string> {
  return new TextDecoder().decode(await bytesOf(body));
}

/** Bytes in which every position tells, so that a lost, doubled or moved piece is seen. */
export function pattern(size: number, seed = 0): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 31 + (i >> 8) * 17 + seed) & 0xff;
  return bytes;
}

/** A body given out in pieces of a size, which counts what was taken of it. */
export function pieces(bytes: Uint8Array, size: number) {
  const state = { takenBytes: 0, cancelled: null as unknown };
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (state.takenBytes >= bytes.byteLength) return controller.close();
        const piece = bytes.slice(state.takenBytes, state.takenBytes + size);
        state.takenBytes += piece.byteLength;
        controller.enqueue(piece);
      },
      cancel(reason) {
        state.cancelled = reason ?? "cancelled";
      },
    },
    { highWaterMark: 0 },
  );
  return { body, state };
}

/** A body whose pieces the test gives one by one. */
export function fed() {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  let cancel!: (reason: unknown) => void;
  const cancelled = new Promise<unknown>((resolve) => {
    cancel = resolve;
  });
  const body = new ReadableStream<Uint8Array>({
    start: (given) => {
      controller = given;
    },
    cancel: (reason) => cancel(reason),
  });
  return { body, cancelled, give: (value: string) => controller.enqueue(text(value)), controller };
}

/** Resolves at the first turn of the event loop at which the condition holds; the test's own time-out bounds it. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Lets everything that can happen without anybody's doing happen: a number of turns with nothing new. */
export async function settled(turns = 20): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}
