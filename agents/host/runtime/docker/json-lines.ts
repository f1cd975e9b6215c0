/** The engine's longest line is an event with all labels of a container. */
const LINE_BYTES_MAX = 1024 * 1024;

/**
 * The JSON values of a stream, one to a line. Ends where the stream does; what stands after the last line end is half
 * of a value, and lost.
 * @throws Error when a line is longer than anything that was to be expected, or is no JSON
 */
export async function* readJsonLines(stream: AsyncIterable<Buffer> | Iterable<Buffer>): AsyncGenerator<unknown> {
  let unfinished = "";
  for await (const chunk of stream) {
    // Chunks are cut anywhere, also within a character: bytes travel as latin1 until a line is whole.
    const lines = (unfinished + chunk.toString("latin1")).split("\n");
    unfinished = lines.pop() ?? "";
    if (unfinished.length > LINE_BYTES_MAX) throw new Error(`a line of more than ${LINE_BYTES_MAX} bytes`);
    for (const line of lines) {
      const text = Buffer.from(line, "latin1").toString("utf8").trim();
      if (text !== "") yield JSON.parse(text);
    }
  }
}
