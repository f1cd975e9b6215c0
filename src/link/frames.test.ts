import { describe, expect, it } from "vitest";
import { LinkError } from "./errors.ts";
import { decodeMessage, type Frame } from "./frames.ts";
import { DATA_BYTES_MAX, HEAD_BYTES_MAX, MESSAGE_BYTES_MAX, WHOLE_BODY_BYTES_MAX } from "./limits.ts";
import { MessageWriter } from "./message-writer.ts";
import { messageOf, pattern } from "./testing.ts";

/** A frame made by hand: its type, its stream, the rest. */
function raw(type: number, stream: number, rest: number[]): Uint8Array {
  const bytes = new Uint8Array(9 + rest.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 5 + rest.length);
  view.setUint8(4, type);
  view.setUint32(5, stream);
  bytes.set(rest, 9);
  return bytes;
}

describe("frames", () => {
  it("come back as they were, several in one message", () => {
    const frames: Frame[] = [
      { type: "open", stream: 1, head: { kind: "http", path: "/v1/ü" }, body: "stream" },
      { type: "head", stream: 0xffff_ffff, head: { status: 200, headers: [] }, body: new Uint8Array([1, 2, 3]) },
      { type: "head", stream: 2, head: null, body: null },
      { type: "open", stream: 3, head: 7, body: new Uint8Array(0) },
      { type: "data", stream: 1, bytes: new Uint8Array(DATA_BYTES_MAX).fill(9) },
      { type: "credit", stream: 1, bytes: 65_536 },
      { type: "end", stream: 1 },
      { type: "reset", stream: 5, reason: "kaputt: größer" },
    ];
    expect(decodeMessage(messageOf(...frames))).toEqual(frames);
  });

  it("are read from a Node Buffer inside a larger one", () => {
    const frame = messageOf({ type: "data", stream: 1, bytes: new Uint8Array([1, 2]) });
    const pool = Buffer.alloc(100, 0xee);
    pool.set(frame, 10);
    const [read] = decodeMessage(pool.subarray(10, 10 + frame.byteLength));
    expect(read).toEqual({ type: "data", stream: 1, bytes: new Uint8Array([1, 2]) });
  });

  it.each([
    ["x".repeat(HEAD_BYTES_MAX), 65_538],
    // Fewer characters than bytes.
    ["ü".repeat(HEAD_BYTES_MAX - 2), 131_070],
  ])("refuse a head that does not fit, before anything is sent", (head, bytes) => {
    const writer = new MessageWriter();
    expect(() => writer.add({ type: "open", stream: 1, head, body: null })).toThrow(
      `the headers take ${bytes} bytes, at most 65536 fit into a frame`,
    );
    expect(writer.bytes).toBe(0);
  });

  it("stay as they were when further messages are made", () => {
    const writer = new MessageWriter();
    const taken: [Uint8Array, Frame][] = [];
    for (let i = 1; i <= 500; i++) {
      const frame: Frame = { type: "data", stream: i, bytes: pattern((i * 37) % 3_000 || 1, i) };
      writer.add(frame);
      // Two of three messages have a second frame, with which they may have to move.
      const end: Frame = { type: "end", stream: i };
      if (i % 3 > 0) writer.add(end);
      expect(writer.bytes).toBeGreaterThan(frame.bytes.byteLength);
      taken.push([writer.take(), frame]);
      expect(writer.bytes).toBe(0);
    }
    for (const [message, frame] of taken) expect(decodeMessage(message)[0]).toEqual(frame);
  });

  it("share memory, but a link that says little holds little", () => {
    const writer = new MessageWriter();
    const buffers = new Set<ArrayBufferLike>();
    for (let i = 0; i < 1_000; i++) {
      writer.add({ type: "data", stream: 1, bytes: pattern(100) });
      const { buffer } = writer.take();
      buffers.add(buffer);
      expect(buffer.byteLength).toBeLessThan(2_048);
    }
    expect(buffers.size).toBeLessThan(100);
  });

  it("keep no memory that a single long one needed", () => {
    const writer = new MessageWriter();
    const say = (bytes: number) => {
      writer.add({ type: "data", stream: 1, bytes: pattern(bytes) });
      return writer.take().buffer.byteLength;
    };
    say(50_000);
    say(100);
    for (let i = 0; i < 100; i++) expect(say(100)).toBeLessThan(2_048);
  });

  it("cut a reason that is too long", () => {
    const [frame] = decodeMessage(messageOf({ type: "reset", stream: 1, reason: "€".repeat(2_000) }));
    expect(frame).toEqual({ type: "reset", stream: 1, reason: "€".repeat(500) });
  });

  const broken: [string, Uint8Array][] = [
    ["an unknown type", raw(7, 1, [])],
    ["type 0", raw(0, 1, [])],
    ["stream 0", raw(4, 0, [])],
    ["data without bytes", raw(3, 1, [])],
    ["too much data", raw(3, 1, new Array(DATA_BYTES_MAX + 1).fill(0))],
    ["an end with something in it", raw(4, 1, [0])],
    ["a credit of nothing", raw(6, 1, [0, 0, 0, 0])],
    ["a credit larger than any window", raw(6, 1, [0, 4, 0, 1])],
    ["a credit that is too short", raw(6, 1, [0, 0, 1])],
    ["a reason that is not UTF-8", raw(5, 1, [0xff])],
    ["a reason that is too long", raw(5, 1, new Array(1_501).fill(65))],
    ["a head that is too short", raw(1, 1, [0, 0, 0, 0])],
    ["a head longer than its frame", raw(1, 1, [0, 0, 0, 0, 5, 49])],
    ["a head that is not JSON", raw(2, 1, [0, 0, 0, 0, 1, 123])],
    ["a body of unknown kind", raw(1, 1, [3, 0, 0, 0, 1, 49])],
    ["a body where none was said to be", raw(1, 1, [0, 0, 0, 0, 1, 49, 0])],
    ["a whole body that is too large", raw(1, 1, [1, 0, 0, 0, 1, 49, ...new Array(WHOLE_BODY_BYTES_MAX + 1).fill(0)])],
    ["half a length", new Uint8Array([0, 0, 0])],
    ["half a frame", raw(4, 1, []).subarray(0, 8)],
    ["a frame shorter than any", new Uint8Array([0, 0, 0, 4, 4, 0, 0, 0])],
    ["a frame longer than any", new Uint8Array([0xff, 0xff, 0xff, 0xff, 4, 0, 0, 0, 1])],
    ["a message that is too large", new Uint8Array(MESSAGE_BYTES_MAX + 1)],
  ];
  it.each(broken)("refuse %s", (_what, bytes) => {
    expect(() => decodeMessage(bytes)).toThrow(LinkError);
  });
});
