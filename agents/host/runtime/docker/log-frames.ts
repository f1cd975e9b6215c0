/**
 * The engine sends the output of a container in frames: a header of 8 bytes (which of the two streams, three zeros, the
 * length) and as many bytes. One message of the log is one frame.
 */
const HEADER_BYTES = 8;

/** A message is a piece of at most 16 KiB of output and its time. */
const FRAME_BYTES_MAX = 1024 * 1024;

export interface LogFrame {
  /** 1: standard output, 2: standard error. */
  stream: number;
  payload: Buffer;
}

/** @throws Error when the stream is not made of frames */
export async function* readFrames(body: AsyncIterable<Buffer>): AsyncGenerator<LogFrame> {
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of body) {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    let at = 0;
    while (held.length - at >= HEADER_BYTES) {
      const length = held.readUInt32BE(at + 4);
      if (length > FRAME_BYTES_MAX) throw new Error(`a frame of ${length} bytes in a log of the Docker engine`);
      if (held.length - at < HEADER_BYTES + length) break;
      yield { stream: held[at] ?? 0, payload: held.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length) };
      at += HEADER_BYTES + length;
    }
    held = held.subarray(at);
  }
}
