import { describe, expect, test } from "vitest";
import { ControlError } from "../control/types.ts";
import { createApp } from "./app.ts";
import { STREAMS_PER_PROJECT_MAX } from "./limits.ts";
import { commit, FakeControl, TOKENS } from "./testing/fake-control.ts";

const STREAM = "/api/projects/main/commits/stream";

function setUp(heartbeatMs = 60_000) {
  const control = new FakeControl();
  const app = createApp(control, { version: "0.0.0-test", report: () => {}, heartbeatMs });
  const get = (path: string, headers: Record<string, string> = {}) =>
    app.request(path, { headers: { Authorization: `Bearer ${TOKENS.member}`, ...headers } });
  return { control, get };
}

/** Reads a body as text, on demand. */
function reader(response: Response) {
  const stream = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  return {
    async until(part: string): Promise<string> {
      while (!text.includes(part)) {
        const { done, value } = await stream.read();
        if (done) throw new Error(`The stream ended before ${JSON.stringify(part)}: ${text}`);
        text += value;
      }
      return text;
    },
    leave: () => stream.cancel(),
  };
}

describe("following commits", () => {
  test("an event's id is the commit's version, and Last-Event-ID goes on after it", async () => {
    const { control, get } = setUp();
    control.add(commit(1), commit(2), commit(3));
    const body = reader(await get(STREAM, { "Last-Event-ID": "1" }));
    const text = await body.until('"version":3');
    expect(text).not.toContain('"version":1,');
    expect(text).toContain(`id: 2\ndata: ${JSON.stringify(commit(2))}\n\n`);
    await body.leave();
  });

  test("without a cursor it begins now; a negative one begins with the newest", async () => {
    const { control, get } = setUp();
    control.add(commit(1), commit(2), commit(3));
    const now = reader(await get(STREAM));
    const newest = reader(await get(`${STREAM}?after=-2`));
    const two = await newest.until("id: 3");
    expect(two).toContain("id: 2\n");
    expect(two).not.toContain("id: 1\n");
    control.add(commit(4));
    expect(await now.until("id: 4")).not.toContain("id: 3\n");
    await Promise.all([now.leave(), newest.leave()]);
  });

  test("a cursor older than the journal is told so", async () => {
    const { control, get } = setUp();
    control.add(commit(1), commit(2), commit(3));
    control.oldest = 3;
    const body = reader(await get(STREAM, { "Last-Event-ID": "1" }));
    expect(await body.until("id: 3")).toContain('event: gap\ndata: {"oldest":3}\n\n');
    await body.leave();
  });

  test("a quiet stream says that it is alive", async () => {
    const { get } = setUp(1);
    const body = reader(await get(STREAM));
    await body.until(": still here\n\n");
    await body.leave();
  });

  test("the source ends when the reader leaves, and its place is free again", async () => {
    const { control, get } = setUp();
    const bodies = [];
    for (let i = 0; i < STREAMS_PER_PROJECT_MAX; i += 1) bodies.push(reader(await get(STREAM)));
    const refused = await get(STREAM);
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("1");
    await bodies[0]!.until("retry:");
    await Promise.all(bodies.map((body) => body.leave()));
    await expect.poll(() => control.followers).toBe(0);
    const again = await get(STREAM);
    expect(again.status).toBe(200);
    await again.body!.cancel();
  });

  test("a failure on the way ends the stream with words", async () => {
    const { control, get } = setUp();
    const body = reader(await get(STREAM));
    await body.until("retry:");
    await expect.poll(() => control.followers).toBe(1);
    control.failure = new ControlError("unavailable", "The database is away.");
    control.add(commit(1));
    expect(await body.until("event: error")).toBeTruthy();
    expect(await body.until("The database is away.")).not.toContain("id: 1");
  });

  test("an id that is none is refused", async () => {
    const { get } = setUp();
    expect((await get(STREAM, { "Last-Event-ID": "x" })).status).toBe(400);
    expect(await (await get(`${STREAM}?after=x`)).json()).toMatchObject({
      error: { message: expect.stringMatching(/^query\.after: must be a whole number from -\d+ to \d+$/) },
    });
  });
});

describe("logs", () => {
  const LOGS = "/api/projects/main/services/chat/logs";

  test("are newline-separated JSON", async () => {
    const { get } = setUp();
    const response = await get(`${LOGS}?tail=2`);
    expect(response.headers.get("content-type")).toContain("application/x-ndjson");
    const lines = (await response.text()).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).text)).toEqual(["one", "two"]);
  });

  test.each(["x", "-1", "1.5", "10001"])("of %s lines are refused in words", async (tail) => {
    const { get } = setUp();
    const response = await get(`${LOGS}?tail=${tail}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { message: "query.tail: must be a whole number from 0 to 10000" },
    });
  });

  test("following ends at its source when the reader leaves", async () => {
    const { control, get } = setUp();
    let source: AbortSignal | undefined;
    const logs = control.logs.bind(control);
    control.logs = (project, service, options, signal) => {
      source = signal;
      return logs(project, service, options, signal);
    };
    const body = reader(await get(`${LOGS}?follow`));
    await body.until("one");
    expect(source!.aborted).toBe(false);
    await body.leave();
    expect(source!.aborted).toBe(true);
  });

  test("that break off say so in their last line, and give their place back", async () => {
    const { control, get } = setUp();
    const begun = new TextEncoder().encode('{"text":"half');
    control.logs = async () => {
      const pieces = [begun];
      return new ReadableStream({
        pull(controller) {
          const piece = pieces.shift();
          if (piece) controller.enqueue(piece);
          else controller.error(new Error("inner thoughts"));
        },
      });
    };
    for (let i = 0; i <= STREAMS_PER_PROJECT_MAX; i++) {
      const lines = (await (await get(LOGS)).text()).split("\n");
      expect(lines[0]).toBe('{"text":"half');
      expect(JSON.parse(lines[1]!)).toMatchObject({ error: { code: "unavailable" } });
    }
  });

  test("a refusal gives its place back", async () => {
    const { get } = setUp();
    for (let i = 0; i <= STREAMS_PER_PROJECT_MAX; i += 1) {
      expect((await get("/api/projects/main/services/nope/logs")).status).toBe(404);
    }
  });
});
