import { describe, expect, it } from "vitest";
import { flowOf, streamOf } from "../link/flows.ts";
import { fed } from "../link/testing.ts";
import type { BodyFlow } from "../link/types.ts";
import { answerOf } from "./answer.ts";
import { Watch } from "./watch.ts";

/** Of a clock that stands still. */
const watching = (cancel = new AbortController()) => new Watch(cancel, 10_000, () => 0);

/** A streamed answer of this kind, and how often it was said to be over. */
function streaming(headers: [string, string][]) {
  const source = fed();
  const seen = { over: 0 };
  const watch = watching();
  const answer = answerOf(
    { head: { status: 200, headers }, body: flowOf(source.body) },
    {
      method: "GET",
      requestId: "id-1",
      watch,
      over: () => {
        watch.stop();
        seen.over += 1;
      },
    },
  );
  return { source, seen, response: new Response(streamOf(answer.body as BodyFlow)) };
}

describe("a streamed answer", () => {
  it("is over when it ends, breaks, or is not wanted any more, and not before", async () => {
    const ended = streaming([]);
    expect(ended.seen.over).toBe(0);
    ended.source.controller.close();
    await ended.response.text();
    expect(ended.seen.over).toBe(1);

    const broken = streaming([["content-type", "text/event-stream"]]);
    broken.source.controller.error(new Error("cut"));
    expect(await broken.response.text()).toContain("stream_cut");
    expect(broken.seen.over).toBe(1);

    const unwanted = streaming([]);
    await unwanted.response.body!.cancel();
    expect(unwanted.seen.over).toBe(1);
  });

  it.each([
    ["longer", "5", "more than five"],
    ["shorter", "50", "less than fifty"],
  ])(
    "that is %s than its head says breaks off, since what is left would be the next answer's",
    async (_, length, sent) => {
      const { source, seen, response } = streaming([["content-length", length]]);
      source.controller.enqueue(new TextEncoder().encode(sent));
      source.controller.close();
      await expect(response.text()).rejects.toThrow("the connection to the replica was lost");
      expect(seen.over).toBeGreaterThan(0);
    },
  );

  it("has one length, that is a number", () => {
    for (const lengths of [["5", "6"], ["5", "5"], ["-1"], ["0x5"], ["5, 5"], [""]]) {
      expect(() => streaming(lengths.map((value) => ["content-length", value]))).toThrow(
        expect.objectContaining({ status: 502, code: "invalid_answer" }),
      );
    }
  });

  it("that the platform passes on goes by untouched, is timed no more, and is over when it ends", () => {
    const passed = new ReadableStream<Uint8Array>();
    let end = () => {};
    const body = Object.assign(flowOf(new ReadableStream()), {
      passOn: (over: () => void) => {
        end = over;
        return passed;
      },
    });
    const seen = { over: 0, stopped: 0 };
    const watch = watching();
    const stopped = Object.assign(watch, { stop: () => (seen.stopped += 1) });
    const options = { method: "GET", requestId: "id-1", watch: stopped, over: () => (seen.over += 1) };
    const answer = answerOf({ head: { status: 200, headers: [["content-length", "5"]] }, body }, options);
    expect(answer.body).toBe(passed);
    expect(seen).toEqual({ over: 0, stopped: 1 });
    end();
    expect(seen.over).toBe(1);
  });

  it("gets no event of ours into a compressed stream", async () => {
    const { source, response } = streaming([
      ["content-type", "text/event-stream"],
      ["content-encoding", "gzip"],
    ]);
    source.controller.error(new Error("cut"));
    await expect(response.text()).rejects.toThrow("cut");
  });
});

describe("an answer without a body", () => {
  const lengthOf = (method: string, status: number) =>
    answerOf(
      { head: { status, headers: [["content-length", "500"]] }, body: null },
      { method, requestId: "id-1", watch: watching(), over: () => {} },
    ).headers.filter(([name]) => name === "content-length");

  it("promises none, but for one to HEAD, which says how long it would be", () => {
    expect(lengthOf("GET", 200)).toEqual([]);
    expect(lengthOf("GET", 204)).toEqual([]);
    expect(lengthOf("HEAD", 200)).toEqual([["content-length", "500"]]);
  });
});
