import { describe, expect, it } from "vitest";
import { framingOf, requestHead } from "./request-head.ts";

const get = { method: "GET", path: "/x?y", headers: [] as [string, string][] };
const post = { ...get, method: "POST" };

describe("the head of a request", () => {
  it("has the replica's own host, and nothing that is meant for another connection", () => {
    const headers: [string, string][] = [
      ["Host", "elsewhere"],
      ["connection", "upgrade"],
      ["Transfer-Encoding", "chunked"],
      ["content-length", "7"],
      ["x-a", "é"],
      ["x-a", ""],
    ];
    const head = requestHead({ ...get, headers }, "127.0.0.1:8000", { kind: "none" });
    expect(head).toBe("GET /x?y HTTP/1.1\r\nhost: 127.0.0.1:8000\r\nconnection: keep-alive\r\nx-a: é\r\nx-a: \r\n\r\n");
  });

  it.each([
    ["a method", { ...get, method: "GET /\r\n" }],
    ["a path with a line end", { ...get, path: "/\r\nx: y" }],
    ["a path with a blank", { ...get, path: "/ HTTP/1.1" }],
    ["a path that is an address", { ...get, path: "http://x/" }],
    ["a name", { ...get, headers: [["x:", "y"]] as [string, string][] }],
    ["a value with a line end", { ...get, headers: [["x", "y\r\nz: 1"]] as [string, string][] }],
    ["a value with a line feed", { ...get, headers: [["x", "y\n"]] as [string, string][] }],
    ["a value whose characters are no bytes", { ...get, headers: [["x", "č"]] as [string, string][] }],
  ])("is not made with %s that HTTP does not allow", (_what, request) => {
    expect(() => requestHead(request, "h", { kind: "none" })).toThrow("that HTTP does not allow");
  });

  it.each([
    [get, null, { kind: "none" }, ""],
    [post, null, { kind: "length", bytes: 0 }, "content-length: 0\r\n"],
    [post, 7, { kind: "length", bytes: 7 }, "content-length: 7\r\n"],
    [get, 7, { kind: "length", bytes: 7 }, "content-length: 7\r\n"],
    [post, "flow", { kind: "chunked" }, "transfer-encoding: chunked\r\n"],
    [{ ...post, headers: [["Content-Length", "9"]] }, "flow", { kind: "length", bytes: 9 }, "content-length: 9\r\n"],
    [{ ...post, headers: [["content-length", "9"]] }, 7, { kind: "length", bytes: 7 }, "content-length: 7\r\n"],
    [{ ...post, headers: [["content-length", "x"]] }, "flow", { kind: "chunked" }, "transfer-encoding: chunked\r\n"],
  ] as const)("says where the body ends (%#)", (request, body, framing, line) => {
    const asked = { ...request, headers: request.headers.map(([name, value]): [string, string] => [name, value]) };
    expect(framingOf(asked, body)).toEqual(framing);
    const head = requestHead(asked, "h", framing);
    expect(head.slice(head.indexOf("keep-alive\r\n") + 12)).toBe(`${line}\r\n`);
  });
});
