import type * as z from "zod";

/** Reads an answer that should be 200 with JSON of this shape; null for anything else. */
export function readJson<Shape>(schema: z.ZodType<Shape>, status: number, body: string): Shape | null {
  if (status !== 200) return null;
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return null;
  }
  return schema.safeParse(value).data ?? null;
}
