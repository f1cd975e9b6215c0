import { expect, test } from "vitest";
import type * as z from "zod";
import { service } from "./service.ts";
import { fieldsOf } from "./walk.ts";

test("a schema is told once at each step, however many wrap it: a service's notes took a fifth of a second", () => {
  let schemas: z.core.$ZodType[] = [service];
  for (const step of ["groups", 0, "probes", 0, "headers", 0, "value"]) {
    schemas = fieldsOf(schemas, step).map(({ schema }) => schema);
    expect(schemas.length, String(step)).toBeGreaterThan(0);
    expect(new Set(schemas).size, String(step)).toBe(schemas.length);
  }
});
