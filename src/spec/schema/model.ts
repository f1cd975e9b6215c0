import * as z from "zod";
import { later, notYet } from "../later.ts";
import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";
import type { ModelSpec } from "../types.ts";
import { mapping, optional, required, textOf } from "./fields.ts";

/** Longest name that a model endpoint answers to; names of model hubs are far shorter. */
const MAX_NAME_CHARS = 256;

const defaultPrefix = "/v1";

/** The model that a service offers under the models endpoint: its name, or a mapping. */
export const model = z.union([
  textOf(readModelName).transform((name): ModelSpec => ({ name, prefix: defaultPrefix })),
  mapping("model", {
    type: optional(z.literal("chat"), "chat", {
      description: "What the model does; only `chat` exists",
      examples: ["chat"],
    }),
    name: required(textOf(readModelName), {
      description: "The name that requests give as `model`",
      examples: ["Qwen/Qwen2.5-72B-Instruct"],
    }),
    format: required(textOf(readFormat), { description: "The API that the replicas speak", examples: ["openai"] }),
    prefix: optional(textOf(readPrefix), defaultPrefix, {
      description: "Where the API begins on the replica",
      examples: ["/v1"],
    }),
  }).transform(({ name, prefix }): ModelSpec => ({ name, prefix })),
]);

function readModelName(written: string): Result<string> {
  if (written.length > 0 && written.length <= MAX_NAME_CHARS && !/\s/.test(written)) return good(written);
  return bad(`${quote(written)} is no name of a model; write 1 to ${MAX_NAME_CHARS} characters without spaces.`);
}

function readFormat(written: string): Result<"openai"> {
  if (written === "openai") return good("openai");
  if (later.modelFormats.includes(written))
    return bad(`${notYet(`the format \`${written}\``)} Write \`format: openai\`.`);
  return bad(`${quote(written)} is no format of a model; write \`format: openai\`.`);
}

function readPrefix(written: string): Result<string> {
  if (/^\/[\x21-\x7e]*$/.test(written)) return good(written.replace(/\/+$/, ""));
  return bad(`${quote(written)} cannot be a prefix; begin it with \`/\`, for example \`/v1\`.`);
}
