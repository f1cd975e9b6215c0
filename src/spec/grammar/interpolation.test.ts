import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { escapeTemplate, interpolate, readTemplate, referencesOf, writeReference } from "./interpolation.ts";

const secret = { kind: "name", namespace: "secrets", key: "A" };

describe("a template", () => {
  test.each<[string, unknown[]]>([
    ["", []],
    ["plain", ["plain"]],
    ["$HOME ${HOME} $(date) 5$", ["$HOME ${HOME} $(date) 5$"]],
    ["$$", ["$"]],
    ["$$$$", ["$$"]],
    ["a$$b$", ["a$b$"]],
    ["${{ secrets.A }}", [secret]],
    ["${{secrets.A}}", [secret]],
    ["x${{ secrets.A }}y${{ secrets.A }}", ["x", secret, "y", secret]],
    ["$${{ secrets.A }}", ["${{ secrets.A }}"]],
    ["$$${{ secrets.A }}", ["$", secret]],
    ["${{ groups[1].replicas[0].IP_ADDRESS }}", [{ kind: "address", group: 1, replica: 0 }]],
  ])("%j is cut", (text, parts) => {
    expect(readTemplate(text)).toEqual({ ok: true, value: parts });
  });

  test.each([
    "${{ secrets.A",
    "${{ }}",
    "${{ secrets }}",
    "${{ a.b.c }}",
    "${{ 1.b }}",
    "${{ a.1 }}",
    "${{ a b.c }}",
    "${{ groups[x].replicas[0].IP_ADDRESS }}",
  ])("%j is refused", (text) => {
    expect(readTemplate(text)).toMatchObject({ ok: false, problem: expect.stringMatching(/reference|not closed/) });
  });

  test("is filled in, and its references can be asked for", () => {
    expect(interpolate("a ${{ secrets.A }} $$ $B", () => "$$v")).toBe("a $$v $ $B");
    expect(referencesOf("a ${{ secrets.A }}").map(writeReference)).toEqual(["${{ secrets.A }}"]);
  });
});

test("what is escaped comes back, whatever it is", () => {
  const text = fc.array(fc.constantFrom("$", "{", "}", "a.b", " ", "x")).map((parts) => parts.join(""));
  fc.assert(
    fc.property(fc.oneof(text, fc.string()), (plain) => {
      expect(interpolate(escapeTemplate(plain), () => "?")).toBe(plain);
    }),
  );
});
