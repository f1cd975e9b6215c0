import { EngineError } from "./errors.ts";

export type JsonObject = Record<string, unknown>;

/** TypeScript's library does not know the third argument of a reviver yet. */
type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown;

/**
 * Parses JSON without rounding integers: rooms have 63 bits, and `JSON.parse` alone would hand two of them back as the
 * same number. An integer that a double cannot hold stays text, as it was written.
 */
export function parseJson(text: string): unknown {
  const keepDigits: Reviver = (_key, value, { source }) =>
    typeof value === "number" && !Number.isSafeInteger(value) && source !== undefined && /^-?\d+$/.test(source)
      ? source
      : value;
  return JSON.parse(text, keepDigits as Parameters<typeof JSON.parse>[1]);
}

/** A request's body. @throws EngineError when it is no JSON object */
export function parseObject(text: string): JsonObject {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch {
    throw new EngineError(400, "the body is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new EngineError(400, "the body must be a JSON object");
  }
  return value as JsonObject;
}

/** @returns the member as an object, empty when it is absent or something else */
export function objectOf(value: unknown): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

/** @returns the whole number, null when it is absent. @throws EngineError when it is anything else or below `min` */
export function wholeNumber(body: JsonObject, name: string, min: number): number | null {
  const value = body[name];
  if (value === undefined || value === null) return null;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < min) {
    throw new EngineError(400, `${name} must be a whole number of at least ${min}`);
  }
  return value;
}
