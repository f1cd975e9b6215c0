/**
 * The same bytes, as a stream that can go to another object: there only streams of bytes are taken.
 * @param left told when whoever reads it has left, since a source in which nothing happens finds out no other way
 * @param signal ends it as well, while somebody reads it
 */
export function relayed(
  stream: ReadableStream<Uint8Array>,
  left: (reason: unknown) => void,
  signal?: AbortSignal,
): ReadableStream<Uint8Array> {
  const reader = stream.getReader();
  const leave = (reason: unknown) => {
    left(reason);
    return reader.cancel(reason);
  };
  const end = () => void leave(signal?.reason).catch(() => undefined);
  // Whoever asked may have left while the stream was being opened.
  if (signal?.aborted) end();
  else signal?.addEventListener("abort", end, { once: true });
  const source: UnderlyingByteSource = {
    type: "bytes",
    async pull(controller) {
      const { done, value } = await reader.read();
      if (!done) return controller.enqueue(value as Uint8Array<ArrayBuffer>);
      controller.close();
      // A reader that brought a buffer of its own waits until it has that back.
      controller.byobRequest?.respond(0);
    },
    cancel: leave,
  };
  return new ReadableStream(source, { highWaterMark: 0 });
}
