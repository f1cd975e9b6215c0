import { describe, expect, it } from "vitest";
import { flowOf, streamOf, wholeFlow, wholeOf } from "./flows.ts";
import { linkPipe } from "./pipe.ts";
import { fed, pattern, pieces, textOf, until } from "./testing.ts";

describe("a body between flow and web stream", () => {
  it("gives each piece to the read that asked first, however many wait", async () => {
    const source = fed();
    const { accepted } = linkPipe({ dialled: async () => ({ head: { status: 200, headers: [] }, body: source.body }) });
    const reader = streamOf((await accepted.request({})).body).getReader();
    const reads = [reader.read(), reader.read(), reader.read()];
    for (const word of ["one", "two", "three"]) source.give(word);
    const words = (await Promise.all(reads)).map(({ value }) => new TextDecoder().decode(value));
    expect(words.join("")).toBe("onetwothree");
    source.controller.close();
    expect((await reader.read()).done).toBe(true);
  });

  it("is read no further than it is asked for", async () => {
    const source = pieces(pattern(10_000), 1_000);
    const reader = streamOf(flowOf(source.body)).getReader();
    await reader.read();
    expect(source.state.takenBytes).toBe(1_000);
    await reader.cancel("enough");
    expect(source.state.cancelled).toBe("enough");
  });

  it("is taken whole up to a bound, and given up beyond it", async () => {
    expect((await wholeOf(flowOf(pieces(pattern(5_000), 999).body), 5_000)).byteLength).toBe(5_000);
    const large = pieces(pattern(50_000), 1_000);
    await expect(wholeOf(flowOf(large.body), 5_000)).rejects.toThrow(RangeError);
    expect(large.state.cancelled).not.toBeNull();
    await expect(wholeOf(pattern(5_001), 5_000)).rejects.toThrow(RangeError);
  });

  it("that is read at once is read when it is wanted, comes as one piece, and fails as its reading does", async () => {
    let reads = 0;
    const bytes = async () => {
      reads += 1;
      return new TextEncoder().encode("one").buffer;
    };
    const flow = wholeFlow(bytes);
    expect(reads).toBe(0);
    expect(await textOf(flow)).toBe("one");
    expect(reads).toBe(1);
    await expect(textOf(wholeFlow(() => Promise.reject(new Error("left"))))).rejects.toThrow("left");
    const told: string[] = [];
    const left = wholeFlow(bytes);
    left.start({ write: () => told.push("piece") > 0, end: () => told.push("end"), fail: () => told.push("fail") });
    left.cancel(new Error("not wanted"));
    await new Promise((resolve) => setImmediate(resolve));
    expect(told).toEqual([]);
  });

  it("must be bytes", async () => {
    const words = new ReadableStream({ start: (controller) => controller.enqueue("text") });
    await expect(textOf(flowOf(words as ReadableStream<Uint8Array>))).rejects.toThrow("must be bytes");
  });

  it("that somebody else reads already fails its request and leaves nothing open", async () => {
    const { accepted, dialled } = linkPipe({ dialled: () => new Promise(() => undefined) });
    const taken = pieces(pattern(10), 5).body;
    taken.getReader();
    await expect(accepted.request({}, taken)).rejects.toThrow();
    await until(() => accepted.openStreams === 0 && dialled.openStreams === 0);
  });
});
