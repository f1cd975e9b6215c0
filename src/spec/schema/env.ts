import * as z from "zod";
import { readEnvItem, readEnvName } from "../grammar/env.ts";
import { readTemplateFor } from "../grammar/interpolation.ts";
import { good, type Result } from "../result.ts";
import type { EnvSpec } from "../types.ts";
import { by, text, textOf } from "./fields.ts";

const readValue = readTemplateFor("env");

const envMap = z.record(z.string(), textOf(readValue)).superRefine((map, context) => {
  for (const name of Object.keys(map)) {
    const read = readEnvName(name);
    if (!read.ok) context.addIssue({ code: "custom", path: [name], message: read.problem });
  }
});

const envList = z
  .array(textOf(readItem))
  .superRefine((items, context) => {
    const seen = new Map<string, number>();
    for (const [index, { name }] of items.entries()) {
      const first = seen.get(name);
      if (first === undefined) seen.set(name, index);
      else
        context.addIssue({
          code: "custom",
          path: [index],
          message: `The variable \`${name}\` is given twice, first as env[${first}]; keep one of them.`,
        });
    }
  })
  .transform((items): EnvSpec => Object.fromEntries(items.map(({ name, value }) => [name, value])));

/** Variables of every replica: a mapping, or a list in which a name alone is passed on from whoever applies. */
export const env = z.union([envList, envMap.transform((map): EnvSpec => map)]);

function readItem(written: string): Result<{ name: string; value: string | null }> {
  const item = readEnvItem(written);
  if (!item.ok) return item;
  const value = readValue(item.value.value ?? "");
  return value.ok ? good(item.value) : value;
}

/** One command of the shell. */
export const command = text
  .refine((line) => line.trim() !== "", "This command is empty; write a command or remove the line.")
  .transform(by(readTemplateFor("command")));
