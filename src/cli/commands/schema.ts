import { configSchema } from "../../spec/index.ts";
import { type AddCommand, printLine } from "../context.ts";

export const addSchema: AddCommand = (program, { io }) => {
  program
    .command("schema")
    .description("Print the JSON Schema of configuration files, for editors; needs no server")
    .addHelpText(
      "after",
      "\nExamples:\n  headrace schema > headrace.schema.json\n\nWith this as its first line a file is completed and checked as it is written, in every\n" +
        "editor that has yaml-language-server:\n  # yaml-language-server: $schema=headrace.schema.json",
    )
    .action(() => printLine(io, JSON.stringify(configSchema(), null, 2)));
};
