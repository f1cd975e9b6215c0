import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { readTemplateFor } from "../grammar/interpolation.ts";
import type { Result } from "../result.ts";
import { flag, mapping, optional, refused, required, textOf } from "./fields.ts";
import { type JsonSchema, jsonSchemaOf } from "./json-schema.ts";
import { configSchema } from "./kinds.ts";
import { patternedGrammars, patternOf } from "./patterns.ts";

/** Every schema in a schema. */
function within(schema: JsonSchema): JsonSchema[] {
  const { items, properties, additionalProperties, anyOf, allOf, definitions } = schema;
  const children = [
    items ?? [],
    Object.values(properties ?? {}),
    typeof additionalProperties === "object" ? additionalProperties : [],
    anyOf ?? [],
    allOf ?? [],
    schema.then ?? [],
    Object.values(definitions ?? {}),
  ].flat();
  return [schema, ...children.flatMap(within)];
}

describe("the schema of configurations", () => {
  const schema = configSchema();

  test("every reference has its definition, and every definition is used", () => {
    const used = within(schema).flatMap(({ $ref }) => ($ref === undefined ? [] : [$ref]));
    const defined = Object.keys(schema.definitions ?? {}).map((name) => `#/definitions/${name}`);
    expect([...new Set(used)].sort()).toEqual(defined.sort());
  });

  test("every mapping of named fields is closed, and every field described", () => {
    const mappings = Object.entries(schema.definitions ?? {});
    expect(mappings.length).toBeGreaterThan(10);
    for (const [name, { properties, additionalProperties }] of mappings) {
      expect(additionalProperties, name).toBe(name === "backend_options");
      for (const [key, field] of Object.entries(properties ?? {}))
        expect(field.description, `${name}.${key}`).toBeTruthy();
    }
  });

  test("no field takes just anything", () => {
    for (const [name, { properties }] of Object.entries(schema.definitions ?? {})) {
      for (const [key, field] of Object.entries(properties ?? {})) {
        // What means nothing may be anything.
        if (field.doNotSuggest) continue;
        const says = within(field).some(({ type, enum: words, const: word, $ref }) => type ?? words ?? word ?? $ref);
        expect(says, `${name}.${key}`).toBe(true);
      }
    }
  });
});

test("a refused field is not offered, takes nothing, and tells why", () => {
  const kind = mapping("kind", {
    type: required(z.literal("kind"), { description: "What it is", examples: ["kind"] }),
    gone: refused("It went; write `here`", { description: "What it was", examples: [1] }),
    here: optional(flag, false, { description: "What it is now", examples: [true] }),
  });
  const { definitions } = jsonSchemaOf({ kind });
  expect(definitions?.kind?.required).toEqual(["type"]);
  expect(definitions?.kind?.properties?.gone).toEqual({
    description: "What it was",
    type: ["null", "array"],
    maxItems: 0,
    doNotSuggest: true,
    errorMessage: "It went; write `here`.",
  });
  expect(definitions?.kind?.properties?.here).toMatchObject({ description: "What it is now", default: false });
});

test("mappings of one kind that differ have definitions of their own, others share one", () => {
  const item = mapping("item", { a: optional(flag, false, { description: "A", examples: [true] }) });
  const other = mapping("item", {
    b: optional(textOf(readTemplateFor("env")), null, { description: "B", examples: ["b"] }),
  });
  const field = { description: "Some", examples: [] };
  const kind = mapping("kind", {
    x: optional(item, null, field),
    y: optional(z.array(item), [], field),
    z: optional(other, null, field),
  });
  expect(Object.keys(jsonSchemaOf({ kind }).definitions ?? {})).toEqual(["item", "item-2", "kind"]);
});

describe("patterns", () => {
  const pieces = fc.constantFrom(
    ...["", " ", "0", "1", "9", "80", "+", "-", ".", "..", ":", "/", "*", "a", "x-1", "gb", "MB", " TB", "s", "m", "w"],
    ...["off", "OFF", "yes", "True", "false", "3.", "3.12", "bash", "sh", "/bin/zsh", "/a\nb", "data", "project", "="],
  );
  const whole = fc.constantFrom(
    "3.9",
    "80",
    "8:80",
    "15m",
    "-1",
    "80 GB",
    "bash",
    "/a:/b",
    "data:/a",
    "data",
    "team/x",
    "4f2a90bb13c7",
  );
  const written = fc.oneof(
    whole,
    fc.array(pieces, { minLength: 1, maxLength: 6 }).map((parts) => parts.join("")),
  );
  type Read = (written: string) => Result<unknown> | boolean | null;
  const accepts = (read: unknown, text: string) => {
    const answer = (read as Read)(text);
    return typeof answer === "object" && answer !== null ? answer.ok : answer !== null;
  };

  test.each(patternedGrammars().map(([read]) => [(read as Read).name, read] as const))(
    "%s accepts no text that its pattern does not",
    (_name, read) => {
      const pattern = new RegExp(`^(?:${patternOf(read, false)!.text})$`);
      let accepted = 0;
      fc.assert(
        fc.property(written, (text) => {
          if (!accepts(read, text)) return;
          accepted++;
          expect(text).toMatch(pattern);
        }),
        { numRuns: 2000 },
      );
      expect(accepted).toBeGreaterThan(0);
    },
  );
});
