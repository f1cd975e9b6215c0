import { describe, expect, test } from "vitest";
import { ControlError } from "../control/types.ts";
import type { CommitView } from "../control/views/views.ts";
import { createApp } from "./app.ts";
import { type ApiError, createClient, ServerUnreachable, whoAmI } from "./client.ts";
import { commit, FakeControl, HOST, SERVICE, TOKENS } from "./testing/fake-control.ts";

const SERVER = "http://headrace.test";

/** A client whose `fetch` is the app itself, with failures put in front. */
function setUp(token: string = TOKENS.admin) {
  const control = new FakeControl();
  const app = createApp(control, { version: "0.0.0-test", report: () => {} });
  const requests: Request[] = [];
  const waits: number[] = [];
  /** Taken before the app is asked: an error is thrown, a response is the answer; `lost` answers only to the app. */
  const before: (Error | Response | "lost")[] = [];
  const options = {
    server: SERVER,
    token,
    fetch: async (input: RequestInfo | URL, init?: RequestInit) => {
      const request = new Request(input, init);
      requests.push(request);
      const fault = before.shift();
      if (fault instanceof Error) throw fault;
      if (fault instanceof Response) return fault;
      const response = await app.fetch(request);
      if (fault === "lost") throw new TypeError("fetch failed", { cause: { code: "ECONNRESET" } });
      return response;
    },
    sleep: async (ms: number) => {
      waits.push(ms);
    },
  };
  return { control, client: createClient({ ...options, project: "main" }), options, requests, waits, before };
}

const refused = () => new TypeError("fetch failed", { cause: { code: "ECONNREFUSED" } });

test("every method reaches its route", async () => {
  const { client, control, options } = setUp();
  control.add(commit(1), commit(2));
  expect(await whoAmI(options)).toEqual({ project: "main", kind: "admin", name: "admin" });
  expect((await client.plan({ config: "a" })).action).toBe("create");
  expect(await client.apply({ config: "a" })).toMatchObject({ service: "chat", revision: 1 });
  expect(await client.services()).toEqual([SERVICE]);
  expect(await client.service("chat")).toEqual(SERVICE);
  expect(await client.stop("chat")).toEqual({ service: "chat", version: 8 });
  expect(await client.delete("chat")).toEqual({ service: "chat", version: 9 });
  expect(await client.hosts()).toEqual([HOST]);
  expect(await client.journal({ after: 1 })).toEqual({ oldest: 1, commits: [commit(2)] });
  expect(await client.createToken({ kind: "join", name: "box" })).toMatchObject({ token: "hr_new" });
  expect(await client.tokens()).toEqual([]);
  expect(await client.revokeToken("t1")).toEqual({ token: "t1", name: "ci", kind: "member", own: false });
  const lines = [];
  for await (const line of client.logs("chat", { tail: 2 })) lines.push(line.text);
  expect(lines).toEqual(["one", "two"]);
  expect(control.changes.map((change) => change.what)).toEqual([
    "apply",
    "stop",
    "delete",
    "createToken",
    "revokeToken",
  ]);
});

describe("errors", () => {
  test("a refusal keeps its code, words and places", async () => {
    const { client, control } = setUp();
    const issues = [{ line: 3, column: 1, path: "port", message: "Write a number." }];
    control.failure = new ControlError("invalid_config", "1 error", issues);
    const error = await client.plan({ config: "a" }).catch((caught: ApiError) => caught);
    expect(error).toMatchObject({ name: "ApiError", status: 422, code: "invalid_config", message: "1 error", issues });
  });

  test("a log that breaks off at a host is refused there; one whose server is gone says so", async () => {
    const { client, before } = setUp();
    const line = '{"replica":"chat-worker-1","ageMs":5,"attempt":1,"text":"one"}\n';
    const refusal = '{"error":{"code":"unavailable","message":"The log breaks off here."}}\n';
    const cut = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode(line)),
      pull: (controller) => controller.error(new TypeError("terminated", { cause: { message: "other side closed" } })),
    });
    before.push(new Response(`${line}\n${refusal}`), new Response(cut));
    for (const error of [
      { name: "ApiError", code: "unavailable", message: "The log breaks off here." },
      { name: "ServerUnreachable", message: `The connection to ${SERVER} was lost: other side closed.` },
    ]) {
      const read: string[] = [];
      const reading = async () => {
        for await (const { text } of client.logs("chat", { follow: true })) read.push(text);
      };
      await expect(reading()).rejects.toMatchObject(error);
      expect(read).toEqual(["one"]);
    }
  });

  test("a replica's log that cannot be read is told of, and the others' go on", async () => {
    const { client, before } = setUp();
    const line = (text: string) => `{"replica":"chat-worker-1","ageMs":5,"attempt":1,"text":"${text}"}\n`;
    const unread = '{"replica":"chat-worker-2","error":{"code":"unavailable","message":"it breaks off"}}\n';
    const body = `${line("one")}${unread}${line("two")}`;
    before.push(new Response(body), new Response(body));
    const read: string[] = [];
    const onUnread = (message: string) => read.push(message);
    for await (const { text } of client.logs("chat", { onUnread })) read.push(text);
    expect(read).toEqual(["one", "it breaks off", "two"]);
    // Whoever would not hear of it must not take the rest for all there is.
    const reading = async () => {
      for await (const { text } of client.logs("chat")) read.push(text);
    };
    await expect(reading()).rejects.toMatchObject({ name: "ApiError", message: "it breaks off" });
  });

  test("something else on the port is said to be something else", async () => {
    const { client, before } = setUp();
    before.push(new Response("<html>It works!</html>"), new Response("nope", { status: 502 }));
    await expect(client.services()).rejects.toThrow("Is it a Headrace server");
    await expect(client.services()).rejects.toThrow("status 502");
  });

  test("a redirect is not followed with the token", async () => {
    const { client, before, requests } = setUp();
    before.push(new Response(null, { status: 308, headers: { Location: "https://elsewhere.test/" } }));
    await expect(client.services()).rejects.toThrow("redirects to https://elsewhere.test/");
    expect(requests).toHaveLength(1);
    expect(requests[0]!.redirect).toBe("manual");
  });
});

describe("repeating", () => {
  test("a change whose answer was lost is sent again with its key, another change with another", async () => {
    const { client, control, before } = setUp();
    before.push(refused(), "lost");
    await client.apply({ config: "a" });
    await client.apply({ config: "b" });
    const [first, again, other] = control.changes.map((change) => change.key);
    expect(first).toMatch(/^[\x20-\x7e]{8,200}$/);
    expect(again).toBe(first);
    expect(other).not.toBe(first);
    expect(control.changes).toHaveLength(3);
  });

  test("has an end", async () => {
    const { client, before, requests, waits } = setUp();
    before.push(...Array.from({ length: 20 }, refused));
    const error = await client.services().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ServerUnreachable);
    expect(String(error)).toContain(`Cannot reach ${SERVER}: nothing listens there (connection refused).`);
    expect(requests).toHaveLength(4);
    expect(waits).toEqual([200, 500, 1_000]);
  });

  test("a refusal is not repeated", async () => {
    const { client, control, requests } = setUp();
    control.failure = new ControlError("unavailable", "Later.");
    await expect(client.apply({ config: "a" })).rejects.toThrow("Later.");
    expect(requests).toHaveLength(1);
  });
});

describe("following commits", () => {
  test("goes on after the last commit over a cut and a refused connection", async () => {
    const { client, control, before, requests } = setUp();
    control.add(commit(1), commit(2), commit(3));
    before.push(sse("retry: 1000\n\n", event(1), "id: 2\ndata: {cut"), refused());
    const left = new AbortController();
    const seen: number[] = [];
    for await (const { version } of client.follow({ after: 0, signal: left.signal })) {
      seen.push(version);
      if (version === 3) left.abort();
    }
    expect(seen).toEqual([1, 2, 3]);
    expect(requests.map((request) => request.headers.get("last-event-id"))).toEqual([null, "1", "1"]);
    expect(requests[0]!.url).toBe(`${SERVER}/api/projects/main/commits/stream?after=0`);
  });

  test("says that commits are missing", async () => {
    const { client, control } = setUp();
    control.add(commit(1), commit(2), commit(3));
    control.oldest = 3;
    const gaps: number[] = [];
    for await (const { version } of client.follow({
      after: 1,
      signal: never(),
      onGap: (oldest) => gaps.push(oldest),
    })) {
      expect(version).toBe(3);
      break;
    }
    expect(gaps).toEqual([3]);
  });

  test("a refusal ends it", async () => {
    const { client } = setUp("nobody");
    await expect(drain(client.follow({ signal: never() }))).rejects.toMatchObject({ code: "unauthorized" });
  });

  test("a server that ends every stream at once is given up", async () => {
    const { client, before, requests } = setUp();
    before.push(
      ...Array.from({ length: 50 }, () => sse("retry: 1000\n\n", 'event: error\ndata: {"message":"no"}\n\n')),
    );
    await expect(drain(client.follow({ signal: never() }))).rejects.toThrow("no");
    expect(requests).toHaveLength(9);
  });
});

const never = () => new AbortController().signal;
const event = (version: number) => `id: ${version}\ndata: ${JSON.stringify(commit(version))}\n\n`;
const sse = (...parts: string[]) => new Response(parts.join(""), { headers: { "Content-Type": "text/event-stream" } });

async function drain(commits: AsyncIterable<CommitView>): Promise<void> {
  for await (const _ of commits);
}
