import * as z from "zod";
import { readInteger } from "../grammar/number.ts";
import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";
import type { RateLimitSpec } from "../types.ts";
import { by, mapping, optional, required, scalarOf, textOf } from "./fields.ts";

/** Bounds of the language on rate limits. */
const MAX_PREFIX_CHARS = 4094;
const MAX_HEADER_CHARS = 500;
/** One request a minute. */
const MIN_RPS = 1 / 60;
/** Far above what one service can be sent; keeps a slip such as a number of tokens out. */
const MAX_BURST = 1_000_000;

const key = mapping("rate limit key", {
  type: required(z.enum(["ip_address", "header"]), {
    description: "What is counted apart: callers' addresses, or the values of a header",
    examples: ["ip_address", "header"],
  }),
  header: optional(textOf(readHeader), null, { description: "The header's name", examples: ["X-API-Key"] }),
}).transform(by(closeKey));

const rateLimit = mapping("rate limit", {
  prefix: optional(textOf(readPrefix), "/", {
    description: "Paths that it holds for; of several the longest that fits",
    examples: ["/v1/"],
  }),
  key: optional(key, { type: "ip_address" } as const, {
    description: "What is counted apart: callers' addresses, or the values of a header",
    examples: [{ type: "header", header: "X-API-Key" }],
  }),
  rps: required(scalarOf(readRps), { description: "Requests per second", examples: [10, 0.5] }),
  burst: optional(
    scalarOf((written) =>
      readInteger(written, "write how many requests may come at once, for example `10`", 0, MAX_BURST),
    ),
    0,
    { description: "How many requests may come at once beyond that", examples: [10] },
  ),
}).transform((written): RateLimitSpec => written);

/** Which callers may send how much; no two for the same paths. */
export const rateLimits = z.array(rateLimit).superRefine((limits, context) => {
  for (const [index, { prefix }] of limits.entries()) {
    const first = limits.findIndex((other) => other.prefix === prefix);
    if (first === index) continue;
    const message = `There are two limits for the prefix ${quote(prefix)}, the first is rate_limits[${first}]; keep one of them.`;
    context.addIssue({ code: "custom", path: [index], message });
  }
});

function closeKey({ type, header }: { type: string; header: string | null }): Result<RateLimitSpec["key"]> {
  if (type === "ip_address") {
    return header === null
      ? good({ type })
      : bad("`header` has nothing to do with `type: ip_address`; write `type: header`, or remove it.");
  }
  return header === null
    ? bad("`header` is missing: the header's name; write for example `header: X-API-Key`.")
    : good({ type: "header", header });
}

function readPrefix(written: string): Result<string> {
  if (written.length <= MAX_PREFIX_CHARS && /^\/[^\s\\{}]*$/.test(written)) return good(written);
  return bad(
    `${quote(written)} cannot be a prefix of paths; begin it with \`/\` and write no spaces, \`\\\\\`, \`{\` or \`}\`, for example \`/v1/\`.`,
  );
}

function readHeader(written: string): Result<string> {
  if (written.length <= MAX_HEADER_CHARS && /^[a-zA-Z0-9_-]+$/.test(written)) return good(written);
  return bad(`${quote(written)} is no header name; write letters, digits, \`-\` and \`_\`, for example \`X-API-Key\`.`);
}

function readRps(written: string | number): Result<number> {
  const rps = typeof written === "number" ? written : /^\d+(\.\d+)?$/.test(written) ? Number(written) : Number.NaN;
  if (Number.isFinite(rps) && rps >= MIN_RPS) return good(rps);
  return bad(`${quote(written)} is no rate; write requests per second, at least 1/60, for example \`10\` or \`0.5\`.`);
}
