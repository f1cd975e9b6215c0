import { describe, expect, it } from "vitest";
import { bearerOf, requestHeaders, requestIdOf, responseHeaders } from "./headers.ts";

describe("headers", () => {
  const by = {
    url: new URL("https://headrace.example:3000/proxy/services/main/qwen/v1/models"),
    prefix: "/proxy/services/main/qwen",
    requestId: "id-1",
    clientAddress: "192.0.2.7",
    contentLength: null,
  };

  it("to the replica leave out our credentials, what belongs to one hop, and claims about earlier hops", () => {
    const given = new Headers({
      accept: "text/event-stream",
      authorization: "Bearer secret",
      connection: "keep-alive, X-Private",
      cookie: "console=secret",
      host: "headrace.example",
      te: "trailers",
      "content-length": "12",
      "content-type": "application/json",
      "keep-alive": "5",
      "transfer-encoding": "chunked",
      "x-forwarded-for": "203.0.113.9",
      "x-private": "1",
    });
    expect(Object.fromEntries(requestHeaders([...given], by))).toEqual({
      accept: "text/event-stream",
      "content-type": "application/json",
      "x-request-id": "id-1",
      "x-forwarded-for": "192.0.2.7",
      "x-forwarded-host": "headrace.example:3000",
      "x-forwarded-proto": "https",
      "x-forwarded-prefix": "/proxy/services/main/qwen",
    });
  });

  it("name the length of a body that is passed on as it comes", () => {
    expect(requestHeaders([], { ...by, contentLength: 5 })).toContainEqual(["content-length", "5"]);
  });

  it("to the client leave out what would speak for the control plane's origin", () => {
    const headers = responseHeaders(
      [
        ["Content-Type", "text/html"],
        ["Connection", "close, x-hop"],
        ["X-Hop", "1"],
        ["Set-Cookie", "console=stolen"],
        ["Strict-Transport-Security", "max-age=1"],
        ["Transfer-Encoding", "chunked"],
        ["X-Twice", "a"],
        ["X-Twice", "b"],
      ],
      "id-1",
    );
    expect(Object.fromEntries(new Headers(headers))).toEqual({
      "content-type": "text/html",
      "content-security-policy": "sandbox allow-scripts allow-forms",
      "x-content-type-options": "nosniff",
      "x-request-id": "id-1",
      "x-twice": "a, b",
    });
  });

  it("carry the caller's id of a request only where it is fit for a log", () => {
    expect(requestIdOf([...new Headers({ "x-request-id": "abc-1.2:3" })])).toBe("abc-1.2:3");
    expect(requestIdOf([...new Headers({ "x-request-id": "a b" })])).toMatch(/^[0-9a-f-]{36}$/);
    expect(requestIdOf([])).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("hold a bearer token", () => {
    expect(bearerOf([...new Headers({ authorization: "bearer abc" })])).toBe("abc");
    expect(bearerOf([...new Headers({ authorization: "Basic abc" })])).toBeNull();
    expect(bearerOf([])).toBeNull();
  });
});
