import * as z from "zod";
import { readDuration } from "../grammar/duration.ts";
import { readReferences, readTemplateFor } from "../grammar/interpolation.ts";
import { readInteger } from "../grammar/number.ts";
import { MAX_PROBES } from "../limits.ts";
import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";
import type { ProbeSpec } from "../types.ts";
import { flag, mapping, optional, required, scalarOf, textOf } from "./fields.ts";

/** Bounds of the language on probes: they run for every replica all the time. */
const MAX_URL_CHARS = 2048;
const MAX_HEADERS = 16;
const MAX_HEADER_NAME_CHARS = 256;
const MAX_VALUE_CHARS = 2048;
const MAX_TIMEOUT_S = 300;
const MAX_READY_AFTER = 1000;

const readValue = readTemplateFor("probe");

const header = mapping("header", {
  name: required(textOf(readHeaderName), { description: "Name of the header", examples: ["Content-Type"] }),
  value: required(textOf(readHeaderValue), { description: "Value of the header", examples: ["application/json"] }),
});

const probe = mapping("probe", {
  type: required(z.literal("http"), { description: "How the probe asks; only `http` exists", examples: ["http"] }),
  url: optional(textOf(readUrl), "/", { description: "Path asked on the replica's port", examples: ["/health"] }),
  method: optional(z.enum(["get", "post", "put", "delete", "patch", "head"]), null, {
    description: "HTTP method in lower case; get when left out",
    examples: ["get", "post"],
  }),
  headers: optional(z.array(header).max(MAX_HEADERS, `A probe has at most ${MAX_HEADERS} headers; remove some.`), [], {
    description: "Headers sent along",
    examples: [[{ name: "Content-Type", value: "application/json" }]],
  }),
  body: optional(textOf(readBody), null, { description: "Body sent along", examples: ['{"ping": 1}'] }),
  timeout: optional(scalarOf(readTimeout), 10, {
    description: "How long an answer may take, 1s to 5m",
    examples: ["10s"],
  }),
  interval: optional(scalarOf(readInterval), 15, {
    description: "Pause from the end of one probe to the start of the next",
    examples: ["15s"],
  }),
  ready_after: optional(scalarOf(readReadyAfter), 1, {
    description: "Successes in a row that make the replica ready",
    examples: [1],
  }),
  until_ready: optional(flag, false, {
    description: "Whether the probe ends once the replica is ready",
    examples: [true],
  }),
})
  .superRefine(({ method, body }, context) => {
    if (body === null || (method !== "get" && method !== "head")) return;
    context.addIssue({
      code: "custom",
      path: ["body"],
      message: `A \`${method}\` request has no body; write \`method: post\` or remove the body.`,
    });
  })
  .transform(
    ({ method, ready_after, until_ready, ...rest }): ProbeSpec => ({
      ...rest,
      method: method ?? "get",
      readyAfter: ready_after,
      untilReady: until_ready,
    }),
  );

/** All of them have to succeed for a replica to be ready. */
export const probes = z
  .array(probe)
  .max(MAX_PROBES, `There are at most ${MAX_PROBES} probes; remove some.`)
  .superRefine((list, context) => {
    const seen = new Map<string, number>();
    for (const [index, item] of list.entries()) {
      const key = JSON.stringify(item);
      const first = seen.get(key);
      if (first === undefined) seen.set(key, index);
      else
        context.addIssue({
          code: "custom",
          path: [index],
          message: `This probe is the same as probes[${first}]; remove one of them.`,
        });
    }
  });

function readUrl(written: string): Result<string> {
  if (written.length > MAX_URL_CHARS)
    return bad(`The path of a probe has at most ${MAX_URL_CHARS} characters; shorten it.`);
  const read = readReferences(written, "probe");
  if (!read.ok) return read;
  // What is filled in is not known yet; what stands around it must be fit for a path.
  const around = read.value.filter((part) => typeof part === "string").join("");
  if (!written.startsWith("/") || !/^[\x21-\x7e]*$/.test(around)) {
    return bad(
      `${quote(written)} cannot be asked; write a path that begins with \`/\`, other characters percent-encoded, for example \`/health\`.`,
    );
  }
  return good(written);
}

function readHeaderName(written: string): Result<string> {
  if (written.length <= MAX_HEADER_NAME_CHARS && /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(written)) return good(written);
  return bad(`${quote(written)} is no header name; write letters, digits and \`-\`, for example \`Content-Type\`.`);
}

/** The value may be a credential: messages do not repeat it. */
function readHeaderValue(written: string): Result<string> {
  if (written.length < 1 || written.length > MAX_VALUE_CHARS || !/^[\t\x20-\x7e\x80-\xff]*$/.test(written)) {
    return bad(`A header's value has 1 to ${MAX_VALUE_CHARS} printable characters on one line; change it.`);
  }
  return readValue(written);
}

function readBody(written: string): Result<string> {
  if (written.length >= 1 && written.length <= MAX_VALUE_CHARS) return readValue(written);
  return bad(`The body of a probe has 1 to ${MAX_VALUE_CHARS} characters; change it or leave it out.`);
}

function readTimeout(written: string | number): Result<number> {
  const read = readInterval(written);
  if (!read.ok || read.value <= MAX_TIMEOUT_S) return read;
  return bad(`${quote(written)} is too long; a probe waits at most 5m.`);
}

function readInterval(written: string | number): Result<number> {
  const read = readDuration(written);
  return read.ok && read.value < 1 ? bad(`${quote(written)} is too short; write at least 1s.`) : read;
}

function readReadyAfter(written: string | number): Result<number> {
  return readInteger(written, `write how many successes in a row, 1 to ${MAX_READY_AFTER}`, 1, MAX_READY_AFTER);
}
