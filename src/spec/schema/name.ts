import { readResourceName } from "../grammar/names.ts";
import { required, textOf } from "./fields.ts";

/** The name of what a file describes. */
export function resourceName(description: string, example: string) {
  return required(textOf(readResourceName), {
    description,
    examples: [example],
    standing: {
      kind: "better",
      how: "has to be written: one that was made up would be another with each apply, and change nothing that runs",
    },
  });
}
