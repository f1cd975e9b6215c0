import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { refuse } from "./errors.ts";

/** Refuses a body of more than `bytesMax` before it is parsed, whether or not it announces its length. */
export function limitBody(bytesMax: number): MiddlewareHandler {
  return bodyLimit({
    maxSize: bytesMax,
    onError: (c) => refuse(c, "too_large", `The body is larger than ${bytesMax} bytes, the most that is read here.`),
  });
}
