import { expect, test } from "vitest";
import { readText } from "./read-text.ts";

async function* pieces(...chunks: Uint8Array[]) {
  yield* chunks;
}

const bytes = (text: string) => new TextEncoder().encode(text);

test("characters that lie over two pieces are whole, and a byte order mark stays", async () => {
  const all = bytes("\ufeffgrün 名");
  for (let cut = 0; cut <= all.length; cut++) {
    expect(await readText(pieces(all.slice(0, cut), all.slice(cut)), 7)).toBe("\ufeffgrün 名");
  }
});

test("more than may be is said as soon as it is there", async () => {
  await expect(readText(pieces(bytes("abc"), bytes("d")), 3)).rejects.toThrow("it has more than 3 characters");
});

test.each([
  ["Latin-1", [0x67, 0xfc, 0x6e]],
  ["UTF-16", [0xff, 0xfe, 0x61, 0x00]],
  ["a character that breaks off", [0x61, 0xc3]],
])("%s is not taken for something else", async (_, written) => {
  await expect(readText(pieces(Uint8Array.from(written)), 10)).rejects.toThrow("it is not text in UTF-8");
});
