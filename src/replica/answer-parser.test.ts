import { describe, expect, it } from "vitest";
import { AnswerParser, InvalidAnswer, type ParsedHead } from "./answer-parser.ts";

/** Reads an answer that comes in pieces of a size. */
function read(text: string, { bodiless = false, size = Number.POSITIVE_INFINITY, closes = false } = {}) {
  const heads: ParsedHead[] = [];
  let body = "";
  const parser = new AnswerParser(
    {
      head: (head) => void heads.push(head),
      data: (bytes) => {
        body += bytes.toString("latin1");
      },
    },
    bodiless,
  );
  const bytes = Buffer.from(text, "latin1");
  // Each piece is read into the same memory, as from a socket.
  const memory = Buffer.alloc(Math.min(size, bytes.length));
  for (let at = 0; at < bytes.length; at += memory.length) {
    parser.feed(memory.subarray(0, bytes.copy(memory, 0, at)));
    memory.fill(0xff);
  }
  if (closes) parser.closed();
  return { heads, head: heads[0], body, done: parser.done, reusable: parser.reusable, keepMs: parser.keepMs };
}

const SIZES = [1, 2, 3, 7, 64, Number.POSITIVE_INFINITY];

describe("an answer", () => {
  it.each(SIZES)("with a length is read in pieces of %s", (size) => {
    const answer = read("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-A:  b \t\r\ncontent-length: 5\r\n\r\nhello", {
      size,
    });
    expect(answer).toMatchObject({ body: "hello", done: true, reusable: true, keepMs: null });
    expect(answer.heads).toEqual([
      {
        status: 200,
        length: 5,
        headers: [
          ["content-type", "text/plain"],
          ["x-a", "b"],
          ["content-length", "5"],
        ],
      },
    ]);
  });

  it.each(SIZES)("in chunks is read in pieces of %s", (size) => {
    const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n";
    const chunks = "5\r\nhello\r\n00A;name=value\r\n, headrace\r\n0\r\nx-trailer: 1\r\n\r\n";
    const answer = read(head + chunks, { size });
    expect(answer).toMatchObject({ body: "hello, headrace", done: true, reusable: true });
    expect(answer.head?.length).toBe(null);
  });

  it.each(SIZES)("that ends with its connection is read in pieces of %s", (size) => {
    const text = "HTTP/1.1 200\r\n\r\nhello";
    expect(read(text, { size })).toMatchObject({ body: "hello", done: false });
    expect(read(text, { size, closes: true })).toMatchObject({ body: "hello", done: true, reusable: false });
  });

  it("comes after interim ones", () => {
    const text =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
    expect(read(text, { size: 3 })).toMatchObject({
      heads: [{ status: 204, headers: [] }],
      done: true,
      reusable: true,
    });
  });

  it.each([
    ["to HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n", true],
    ["to HEAD, in chunks", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", true],
    ["without content", "HTTP/1.1 204 No Content\r\n\r\n", false],
    ["that nothing changed", "HTTP/1.1 304 Not Modified\r\ncontent-length: 500\r\n\r\n", false],
    ["of length 0", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", false],
  ])("%s has no body", (_what, text, bodiless) => {
    expect(read(text, { bodiless })).toMatchObject({ body: "", done: true, reusable: true });
  });

  it.each([
    ["says close", "HTTP/1.1 200 OK\r\nconnection: Close\r\ncontent-length: 0\r\n\r\n"],
    ["says close among others", "HTTP/1.1 200 OK\r\nconnection: x, close\r\ncontent-length: 0\r\n\r\n"],
    ["speaks HTTP/1.0", "HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n"],
    ["sends more than its answer", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok!"],
    [
      "sends another answer",
      "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    ],
  ])("of a replica that %s is the last of its connection", (_what, text) => {
    for (const size of SIZES) expect(read(text, { size })).toMatchObject({ done: true, reusable: false });
  });

  it("says for how long its connection is kept", () => {
    const text = "HTTP/1.1 200 OK\r\nkeep-alive: timeout=5, max=100\r\ncontent-length: 0\r\n\r\n";
    expect(read(text).keepMs).toBe(5_000);
  });

  it("keeps every byte of a value", () => {
    const text = "HTTP/1.1 200 OK\r\nx-name: \xc3\xa0\r\ncontent-length: 0\r\n\r\n";
    expect(read(text).head?.headers[0]).toEqual(["x-name", "\xc3\xa0"]);
  });
});

describe("what is no answer is refused", () => {
  const ok = "HTTP/1.1 200 OK\r\n";
  it.each([
    ["rubbish", "\x16\x03\x01\x02\r\n\r\n"],
    ["another protocol", "SSH-2.0-OpenSSH_9.2\r\n\r\n"],
    ["another version", "HTTP/2.0 200 OK\r\n\r\n"],
    ["a status that is none", "HTTP/1.1 20 OK\r\n\r\n"],
    ["a status out of range", "HTTP/1.1 600 OK\r\n\r\n"],
    ["a switch of protocols", "HTTP/1.1 101 Switching Protocols\r\n\r\n"],
    ["interim answers without end", "HTTP/1.1 100 Continue\r\n\r\n".repeat(17)],
    ["a head without end", `${ok}x: ${"y".repeat(17_000)}`],
    ["a head that is too large", `${ok}x: ${"y".repeat(17_000)}\r\n\r\n`],
    ["a header without a name", `${ok}: x\r\n\r\n`],
    ["a line without a colon", `${ok}x\r\n\r\n`],
    ["a blank before the colon", `${ok}content-length : 5\r\n\r\n`],
    ["a folded line", `${ok}x: 1\r\n y: 2\r\n\r\n`],
    ["a bare line feed in its head", `${ok}x: 1\ny: 2\r\n\r\n`],
    ["a bare carriage return in its head", `${ok}x: 1\ry: 2\r\n\r\n`],
    ["a zero byte", `${ok}x: \0\r\n\r\n`],
    ["a length that is no number", `${ok}content-length: +5\r\n\r\n`],
    ["an empty length", `${ok}content-length:\r\n\r\n`],
    ["two lengths in one", `${ok}content-length: 5, 5\r\n\r\n`],
    ["two lengths", `${ok}content-length: 5\r\ncontent-length: 6\r\n\r\n`],
    ["a length and chunks", `${ok}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n`],
    ["another coding", `${ok}transfer-encoding: gzip, chunked\r\n\r\n`],
    ["chunks twice", `${ok}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n`],
    ["chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"],
    ["a chunk without a size", `${ok}transfer-encoding: chunked\r\n\r\n\r\n`],
    ["a chunk of no number", `${ok}transfer-encoding: chunked\r\n\r\n0x5\r\n`],
    ["a chunk of a huge size", `${ok}transfer-encoding: chunked\r\n\r\n123456789\r\n`],
    ["a chunk size that does not end", `${ok}transfer-encoding: chunked\r\n\r\n5;${"x".repeat(2_000)}`],
    ["a chunk size that ends in a line feed", `${ok}transfer-encoding: chunked\r\n\r\n5\nhello\r\n`],
    ["a chunk longer than it said", `${ok}transfer-encoding: chunked\r\n\r\n5\r\nhello!\r\n`],
    ["trailers without end", `${ok}transfer-encoding: chunked\r\n\r\n0\r\n${"x: y\r\n".repeat(3_000)}`],
  ])("%s", (_what, text) => {
    for (const size of [1, 1_000, Number.POSITIVE_INFINITY]) expect(() => read(text, { size })).toThrow(InvalidAnswer);
  });

  it.each([
    ["in its head", "HTTP/1.1 200 OK\r\ncontent-"],
    ["before its head", ""],
    ["in its body", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell"],
    ["between chunks", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"],
  ])("a connection that ends %s", (_what, text) => {
    expect(() => read(text, { closes: true })).toThrow("in the middle of its answer");
  });
});
