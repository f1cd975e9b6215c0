import { expect, test } from "vitest";
import { readJsonLines } from "./json-lines.ts";
import { readFrames } from "./log-frames.ts";

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const value of values) found.push(value);
  return found;
}

/** The bytes in pieces of so many. */
function* pieces(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  yield* pieces(bytes, size);
}

function frame(stream: number, text: string): Buffer {
  const payload = Buffer.from(text);
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

test.each([1, 3, 7, 1_000])("values come whole however their lines are cut, here by %d bytes", async (size) => {
  const text = '{"status":"ü"}\r\n{"b":[1]}\n\n{"half":';
  expect(await collect(readJsonLines(pieces(Buffer.from(text), size)))).toEqual([{ status: "ü" }, { b: [1] }]);
});

test.each([1, 5, 1_000])("frames come whole however they are cut, here by %d bytes", async (size) => {
  const bytes = Buffer.concat([frame(1, "one\n"), frame(2, ""), frame(2, "zwölf\n")]);
  const frames = await collect(readFrames(inPieces(bytes, size)));
  expect(frames.map(({ stream, payload }) => [stream, payload.toString()])).toEqual([
    [1, "one\n"],
    [2, ""],
    [2, "zwölf\n"],
  ]);
});

test("what is neither lines nor frames is refused before it fills the memory", async () => {
  const endless = function* () {
    for (;;) yield Buffer.alloc(64 * 1024, "x");
  };
  await expect(collect(readJsonLines(endless()))).rejects.toThrow(/a line of more than/);
  const huge = Buffer.alloc(8, 0xff);
  await expect(collect(readFrames(inPieces(huge, 8)))).rejects.toThrow(/a frame of 4294967295 bytes/);
});
