import { describe, expect, it } from "vitest";
import { allowedAtRouter, canonicalPath, servicePath } from "./paths.ts";

describe("the path of a service", () => {
  it("is what follows the project and the service", () => {
    expect(servicePath("/proxy/services/main/qwen/v1/models")).toEqual({
      project: "main",
      service: "qwen",
      path: "/v1/models",
    });
    expect(servicePath("/proxy/services/main/qwen")).toMatchObject({ path: "/" });
    expect(servicePath("/proxy/services/main/services/services/a/b")).toMatchObject({
      service: "services",
      path: "/services/a/b",
    });
    expect(servicePath("/proxy/services/main")).toBeNull();
  });

  it.each([
    ["/v1/models", "/v1/models"],
    ["/", "/"],
    ["//v1///models/", "/v1/models/"],
    ["/a/./b/../c", "/a/c"],
    ["/../../x", "/x"],
    ["/%76%31/%2e%2E/workers", "/workers"],
    ["/v1/models/meta%2fllama", "/v1/models/meta%2Fllama"],
  ])("%s is spelled %s", (path, canonical) => {
    expect(canonicalPath(path)).toBe(canonical);
  });

  it.each(["/%", "/%2", "/%zz", "/a\\b", "/a b", "/a\nb", "/ü", "no-slash"])("%j has no spelling", (path) => {
    expect(canonicalPath(path)).toBeNull();
  });

  it.each(["/v1/chat/completions", "/v1/models/meta%2Fllama", "/generate", "/chat/completions", "/v1/a%20b"])(
    "%s may go to a router",
    (path) => expect(allowedAtRouter(canonicalPath(path)!)).toBe(true),
  );

  it.each([
    "/workers",
    "/",
    "/v1",
    "/generate/x",
    "/V1/models",
    "//workers",
    "/v1/../workers",
    "/v1/%2e%2e/workers",
    "/v1/..%2fworkers",
    "/v1/..%2Fworkers",
    "/v1%2f..%2fworkers",
    "/v1/%252e%252e/workers",
    "/v1/..%252fworkers",
    "/v1/..%5cworkers",
    "/v1/x/..%2f..%2fworkers",
    "/v1/.%252e%25252fworkers",
    "/%2fworkers",
    "/v1//../../workers",
    "/v1/..%25252525252fworkers",
    "/flush_cache",
    "/get_loads",
    "/v1/..;/workers",
    "/v1/..%3bx%2fworkers",
    "/v1/..%00/workers",
    "/v1/.%250a./workers",
  ])("%s may not", (path) => expect(allowedAtRouter(canonicalPath(path)!)).toBe(false));
});
