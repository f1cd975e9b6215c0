import { describe, expect, it } from "vitest";
import { flowOf, streamOf } from "../link/flows.ts";
import { fed } from "../link/testing.ts";
import { answerOf } from "./answer.ts";

/** A streamed answer of this kind, and how often it was said to be over. */
function streaming(headers: [string, string][]) {
  const source = fed();
  const seen = { over: 0 };
  const answer = answerOf(
    { head: { status: 200, headers }, body: flowOf(source.body) },
    {
      method: "GET",
      requestId: "id-1",
      moved: () => undefined,
      over: () => {
        seen.over += 1;
      },
      givenUp: () => null,
    },
  );
  return { source, seen, response: new Response(streamOf(answer.body)) };
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
      { method, requestId: "id-1", moved: () => {}, over: () => {}, givenUp: () => null },
    ).headers.filter(([name]) => name === "content-length");

  it("promises none, but for one to HEAD, which says how long it would be", () => {
    expect(lengthOf("GET", 200)).toEqual([]);
    expect(lengthOf("GET", 204)).toEqual([]);
    expect(lengthOf("HEAD", 200)).toEqual([["content-length", "500"]]);
  });
});
