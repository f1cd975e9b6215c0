import * as z from "zod";
import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";
import type { ModelSpec } from "../types.ts";
import { mapping, optional, refused, required, textOf } from "./fields.ts";

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
    format: required(z.enum(["openai", "tgi"]), {
      description: "The API that the replicas speak",
      examples: ["openai"],
      standing: {
        kind: "better",
        how: "`tgi` is served by the OpenAI routes that TGI has had since 1.4, which apply the model's own chat template",
      },
    }),
    prefix: optional(textOf(readPrefix), defaultPrefix, {
      description: "Where the API begins on the replica",
      examples: ["/v1"],
    }),
    chat_template: refused(
      "`chat_template` is not taken: TGI applies the model's own since 1.4, and a second one outside of it would guess; remove it, or give TGI another by `--tokenizer-config-path`",
      { description: "A chat template in place of the model's own", examples: ["..."] },
    ),
    eos_token: refused(
      "`eos_token` is not taken: TGI knows the model's own since 1.4; remove it, or give TGI another by `--tokenizer-config-path`",
      { description: "An end-of-text token in place of the model's own", examples: ["</s>"] },
    ),
  }).transform(({ name, prefix }): ModelSpec => ({ name, prefix })),
]);

function readModelName(written: string): Result<string> {
  if (written.length > 0 && written.length <= MAX_NAME_CHARS && !/\s/.test(written)) return good(written);
  return bad(`${quote(written)} is no name of a model; write 1 to ${MAX_NAME_CHARS} characters without spaces.`);
}

function readPrefix(written: string): Result<string> {
  if (/^\/[\x21-\x7e]*$/.test(written)) return good(written.replace(/\/+$/, ""));
  return bad(`${quote(written)} cannot be a prefix; begin it with \`/\`, for example \`/v1\`.`);
}
