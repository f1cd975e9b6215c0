import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { streamOf } from "../link/flows.ts";
import { linkPipe } from "../link/pipe.ts";
import { fed, settled } from "../link/testing.ts";
import { IDLE_MS_MAX } from "../proxy/limits.ts";
import { watched } from "./watched.ts";

const EVENTS: [string, string][] = [["Content-Type", "text/event-stream"]];

/** A stream of a replica, as the object has it in which its host's link ends. */
async function streaming(headers: [string, string][], left = new AbortController()) {
  const source = fed();
  const { accepted, dialled } = linkPipe({
    dialled: async () => ({ head: { status: 200, headers }, body: source.body }),
  });
  const answer = await watched((signal) => accepted.request({}, null, signal), left.signal);
  return { source, link: accepted, dialled, answer, response: new Response(streamOf(answer.body as never)) };
}

describe("a stream of events that is watched where it comes from", () => {
  it("passes piece by piece to its end", async () => {
    const { source, link, response } = await streaming(EVENTS);
    source.give("data: 1\n\n");
    source.give("data: [DONE]\n\n");
    source.controller.close();
    expect(await response.text()).toBe("data: 1\n\ndata: [DONE]\n\n");
    expect(link.openStreams).toBe(0);
  });

  it("ends with an error that its reader understands when the host is lost", async () => {
    const { source, dialled, response } = await streaming(EVENTS);
    source.give("data: 1\n\n");
    await settled();
    dialled.close("the host is gone");
    const text = await response.text();
    expect(text).toMatch(/^data: 1\n\n/);
    expect(text).toContain('"code":"stream_cut"');
  });

  it("ends at its host when the client leaves, also before there is an answer", async () => {
    const left = new AbortController();
    const { source } = await streaming(EVENTS, left);
    left.abort();
    await source.cancelled;
    await expect(streaming(EVENTS, left)).rejects.toMatchObject({ code: "aborted" });
  });
});

describe("time", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
  afterEach(() => void vi.useRealTimers());

  it("ends a stream on which nothing moves", async () => {
    const opened = streaming(EVENTS);
    await vi.advanceTimersByTimeAsync(10);
    const { response, source } = await opened;
    const read = response.text();
    await vi.advanceTimersByTimeAsync(IDLE_MS_MAX + 10);
    expect(await read).toContain('"code":"idle"');
    await vi.advanceTimersByTimeAsync(10);
    await source.cancelled;
  });
});

it("an answer whose length is none is left for the request path to refuse", async () => {
  const { answer, link } = await streaming([["content-length", "many"]]);
  expect(answer.head.headers).toEqual([["content-length", "many"]]);
  (answer.body as { cancel(reason: unknown): void }).cancel(new Error("refused"));
  await settled();
  expect(link.openStreams).toBe(0);
});
