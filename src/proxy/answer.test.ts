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

  it("gets no event of ours into a compressed stream", async () => {
    const { source, response } = streaming([
      ["content-type", "text/event-stream"],
      ["content-encoding", "gzip"],
    ]);
    source.controller.error(new Error("cut"));
    await expect(response.text()).rejects.toThrow("cut");
  });
});
