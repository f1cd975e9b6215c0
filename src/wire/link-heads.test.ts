import fc from "fast-check";
import { expect, it } from "vitest";
import { openToAgent, readOpenToAgent } from "./link-heads.ts";

const http = { kind: "http", replica: "r-1", method: "POST", path: "/v1/x", headers: [["x-a", "b"]] };

it.each([
  http,
  { ...http, headers: [] },
  { ...http, more: 1 },
  { ...http, replica: "../r" },
  { ...http, replica: undefined },
  { ...http, method: 7 },
  { ...http, path: null },
  { ...http, headers: {} },
  { ...http, headers: [["x-a"]] },
  { ...http, headers: [["x-a", "b", "c"]] },
  { ...http, headers: [["x-a", 1]] },
  { ...http, headers: ["ab"] },
  { ...http, headers: new Array(200).fill(["x-a", "b"]) },
  { ...http, headers: new Array(201).fill(["x-a", "b"]) },
  { kind: "wake" },
  { kind: "logs", replica: "r-1", tailLines: 10, follow: false },
  { kind: "other" },
  null,
  "http",
  [],
])("what is checked by hand is what the schema says (%#)", (value) => {
  expect(readOpenToAgent(value)).toEqual(openToAgent.safeParse(value).data ?? null);
});

it("whatever comes is what the schema says", () => {
  const value = fc.oneof(fc.constantFrom(...Object.values(http)), fc.jsonValue());
  const field = fc.constantFrom("kind", "replica", "method", "path", "headers");
  fc.assert(
    fc.property(field, value, (name, changed) => {
      const open = { ...http, [name]: changed };
      expect(readOpenToAgent(open)).toEqual(openToAgent.safeParse(open).data ?? null);
    }),
  );
});
