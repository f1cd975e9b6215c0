import fc from "fast-check";
import { expect, it } from "vitest";
import { requestUrl } from "./request-url.ts";

function asUrl(target: string, header: string) {
  const url = URL.parse(target, `http://${header}`);
  return url && { protocol: url.protocol, host: url.host, pathname: url.pathname, search: url.search };
}

function read(target: string, header: string) {
  const url = requestUrl(target, header);
  return url && { protocol: url.protocol, host: url.host, pathname: url.pathname, search: url.search };
}

it.each([
  ["/proxy/services/main/qwen/v1/chat/completions", "127.0.0.1:3000"],
  ["/proxy/services/main/qwen/v1/models/?a=b&c=%20", "Headrace.Example"],
  ["/v1/models?", "h:80"],
  ["/a/../b", "h"],
  ["/a/./b", "h"],
  ["/a/%2e%2e/b", "h"],
  ["/a\\..\\b", "h"],
  ["//elsewhere/x", "h"],
  ["/a//b", "h"],
  ["/.hidden", "h"],
  ["/x?a=#b", "h"],
  ["/x?'", "h"],
  ["*", "h"],
  ["http://elsewhere/x", "h"],
  ["/x", "[::1]:3000"],
  ["/x", "0x7f.1"],
  ["/x", "user@h/path"],
  ["/x", ""],
  ["/x", "a b"],
])("%s at %s is what a URL makes of it", (target, header) => {
  expect(read(target, header)).toEqual(asUrl(target, header));
});

it("whatever is asked for is what a URL makes of it", () => {
  const part = fc.oneof(
    fc.constantFrom("/", ".", "..", "?", "#", "%", "%2e", "\\", ":", "@", "a", "v1", "~", " ", "\t", "é"),
    fc.string(),
  );
  const text = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(""));
  const header = fc.oneof(fc.constantFrom("h", "H:80", "[::1]"), text);
  fc.assert(
    fc.property(
      text.map((rest) => `/${rest}`),
      header,
      (target, host) => {
        expect(read(target, host)).toEqual(asUrl(target, host));
      },
    ),
  );
});
