import { afterAll, beforeAll, expect, test } from "vitest";
import { unnoticed } from "./support/neighbour.ts";
import { head, RawSocket } from "./support/raw.ts";
import { GOOD, ROUTED, STEADY, Victim } from "./support/victim.ts";

/** Requests that are not what they seem: paths that would reach a router's worker API, and heads that hide a second request. */

let victim: Victim;
beforeAll(async () => {
  victim = await Victim.start();
  await victim.startSteadyService();
  await victim.startRoutedService();
});
afterAll(() => victim.dispose());

const authorization = () => ({ Authorization: `Bearer ${victim.tokens[GOOD]}` });
/** 0: the connection was closed without an answer. */
const status = (answer: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
/** Answers on one connection: more than one means that a second request was seen. */
const answers = (text: string) => text.match(/^HTTP\/1\.1 \d{3}/gm)?.length ?? 0;
const bodyOf = (answer: string) => JSON.parse(answer.slice(answer.indexOf("{"), answer.lastIndexOf("}") + 1)) as never;

const base = `/proxy/services/${GOOD}/${ROUTED}`;
const TRICKS = [
  "/workers",
  "//workers",
  "/./workers",
  "/%77orkers",
  "/v1/../workers",
  "/v1/%2e%2e/workers",
  "/v1/.%2e/workers",
  "/v1/..%2fworkers",
  "/v1/%2e%2e%2fworkers",
  "/v1/..%252fworkers",
  "/v1/%252e%252e/workers",
  "/v1/%25252e%25252e%25252fworkers",
  "/v1/..%5cworkers",
  "/v1/..\\workers",
  "/v1/..;/workers",
  "/v1/..;a=b/workers",
  "/v1/..%3b/workers",
  "/v1/%2e%2e%3bx%2fworkers",
  "/v1/x/../../workers",
  "/v1//..//../workers",
  "/v1/..%00/workers",
  "/%76%31/..%2f/workers",
  "/generate/../workers",
  "/generate%2f..%2fworkers",
  "/chat/completions/../../workers",
  "/v1/../flush_cache",
];

test("no spelling of a path reaches a router's worker API", async () => {
  await unnoticed(victim, async () => {
    const forms = TRICKS.flatMap((trick) => [
      `GET ${base}${trick}`,
      `DELETE ${base}${trick}/worker-1`,
      `POST http://127.0.0.1:1${base}${trick}`,
      `GET ${base}${trick}?x=/v1/models`,
    ]);
    // An absolute form names a target of its own, which is nobody's to choose.
    forms.push(
      "GET http://127.0.0.1:1/workers",
      `GET http://127.0.0.1:1/v1/models`,
      "OPTIONS *",
      "CONNECT 127.0.0.1:22",
    );
    for (const form of forms) {
      const answer = await RawSocket.exchange(victim, head(form, { ...authorization(), Connection: "close" }));
      expect([0, 400, 401, 403, 404, 405], `${form}: ${answer}`).toContain(status(answer));
      expect(answer).not.toContain("worker_type");
    }
    const reached = await fetch(victim.routedUrl("/v1/reached"), { headers: authorization() });
    expect(await reached.json()).toEqual([]);
  });
});

test("a head that says two things of its body's length is refused, and hides no second request", async () => {
  await unnoticed(victim, async () => {
    const hidden = head(`GET /proxy/services/${GOOD}/${STEADY}/crash`, authorization());
    const chunked = `0\r\n\r\n${hidden}`;
    const line = `POST /proxy/services/${GOOD}/${STEADY}/echo`;
    const lying = [
      head(line, { ...authorization(), "Content-Length": "6", "Transfer-Encoding": "chunked" }) + chunked,
      head(line, { ...authorization(), "Transfer-Encoding": "chunked, identity" }) + chunked,
      head(line, { ...authorization(), "Transfer-Encoding": "xchunked" }) + chunked,
      head(line, { ...authorization(), "Transfer-Encoding": " chunked", "Transfer-encoding": "cow" }) + chunked,
      head(line, { ...authorization(), "Content-Length": "5", "content-length": "6" }) + hidden,
      head(line, { ...authorization(), "Content-Length": "+5" }) + hidden,
      head(line, { ...authorization(), "Content-Length ": "5" }) + hidden,
      head(line, { ...authorization(), "X-Folded": "a\r\n b", "Content-Length": "0x5" }) + hidden,
      head(line, { ...authorization(), "X-Bare": "a\nTransfer-Encoding: chunked", "Content-Length": "6" }) + chunked,
    ];
    for (const request of lying) {
      const answer = await RawSocket.exchange(victim, request);
      // Where the length is found wrong after the head was taken, the connection is cut without a word.
      if (answer !== "") expect(status(answer), request).toBe(400);
      expect(answers(answer)).toBeLessThanOrEqual(1);
    }
    // What is said to be a body is one, whatever it looks like.
    const whole = head(line, { ...authorization(), Connection: "close", "Content-Length": String(hidden.length) });
    const answer = await RawSocket.exchange(victim, whole + hidden);
    expect(status(answer)).toBe(200);
    expect(bodyOf(answer)).toMatchObject({ text: hidden });
  });
});

test("what belongs to one hop, or is our own to say, does not reach the replica", async () => {
  const answer = await RawSocket.exchange(
    victim,
    head(`GET /proxy/services/${GOOD}/${STEADY}/echo`, {
      ...authorization(),
      Connection: "close, X-Hop, Content-Length",
      "X-Hop": "leak",
      TE: "trailers",
      "Proxy-Authorization": "Basic bGVhaw==",
      Cookie: "session=leak",
      Forwarded: "for=leak",
      "X-Forwarded-For": "192.0.2.1",
      "X-Forwarded-Host": "leak",
      "Keep-Alive": "timeout=999",
    }),
  );
  const { headers } = bodyOf(answer) as { headers: Record<string, string> };
  expect(JSON.stringify(headers)).not.toMatch(/leak|192\.0\.2\.1|timeout=999/);
  expect(JSON.stringify(headers)).not.toContain(victim.tokens[GOOD]);
  expect(headers).toMatchObject({ "x-forwarded-for": "127.0.0.1", "x-forwarded-host": "headrace" });
});

test("a method that is none, or that nobody serves, is refused", async () => {
  for (const method of ["TRACE", "PROPFIND", "M-SEARCH", "get", "G E T", "X".repeat(100)]) {
    const line = `${method} /proxy/services/${GOOD}/${STEADY}/hello`;
    const answer = await RawSocket.exchange(victim, head(line, { ...authorization(), Connection: "close" }));
    expect([400, 405], `${method}: ${answer}`).toContain(status(answer));
  }
});
