/**
 * All of a stream as text.
 * @throws Error saying what is wrong with it, to stand behind its name: too long, or no text. Bytes that are no UTF-8
 * would else be kept as something that nobody wrote.
 */
export async function readText(stream: AsyncIterable<Uint8Array>, charsMax: number): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let text = "";
  for await (const chunk of stream) {
    text += decode(() => decoder.decode(chunk, { stream: true }));
    if (text.length > charsMax) throw new Error(`it has more than ${charsMax} characters`);
  }
  return text + decode(() => decoder.decode());
}

function decode(step: () => string): string {
  try {
    return step();
  } catch (error) {
    throw new Error("it is not text in UTF-8", { cause: error });
  }
}
