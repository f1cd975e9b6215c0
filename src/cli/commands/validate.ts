import { parseConfig } from "../../spec/index.ts";
import type { SpecIssue } from "../../spec/types.ts";
import { readConfig } from "../config-file.ts";
import { type Meaning, type MeaningFlags, meaningOf, partWords, withMeaningFlags } from "../config-flags.ts";
import { type AddCommand, collect, printJson, printLine } from "../context.ts";
import { showIssue } from "../diagnostics.ts";
import { EXIT } from "../exit-codes.ts";
import { CliError } from "../failure.ts";
import { colorsFor } from "../style.ts";

interface ValidateFlags extends MeaningFlags {
  file: string[];
  json?: boolean;
}

/** One line of `validate --json`. */
interface Verdict {
  file: string;
  ok: boolean;
  type: string | null;
  errors: SpecIssue[];
}

export const addValidate: AddCommand = (program, context) => {
  const { io } = context;
  const command = program.command("validate").description("Check configuration files; needs no server");
  command.requiredOption("-f, --file <file>", "a file, or - for standard input; may be given several times", collect);
  withMeaningFlags(command)
    .argument("[files...]", "more files; behind `--`, what stands for ${{ run.args }}")
    .option("--json", 'one line per file: {"file", "ok", "type", "errors": [{"line", "column", "path", "message"}]}')
    .addHelpText(
      "after",
      "\nExamples:\n  headrace validate -f service.yml\n  headrace validate -f *.yml --json\n\nExits 1 if any file is invalid.",
    )
    .action(async (words: string[], options: ValidateFlags) => {
      const colors = colorsFor(io.stdout, io.env);
      const { before: more, args } = partWords(words, context.wordsBehindDashes);
      for (const file of [...options.file, ...more]) {
        const meaning = await meaningOf(io, file, options, args);
        const { text, verdict } = await check(file, meaning);
        if (!verdict.ok) context.exitCode = EXIT.failed;
        if (options.json) printJson(io, verdict);
        else if (verdict.ok) printLine(io, `${file}: ${colors.green("ok")} (${verdict.type})`);
        else
          for (const issue of verdict.errors) {
            printLine(io, showIssue({ file, text }, issue, colors, meaning.profiles ?? undefined));
          }
      }
    });

  async function check(file: string, { options }: Meaning): Promise<{ text: string; verdict: Verdict }> {
    let text: string;
    try {
      text = await readConfig(io, file);
    } catch (error) {
      // One that cannot be read is reported in its turn, so that the others are still checked.
      if (!(error instanceof CliError)) throw error;
      const errors = [{ line: 1, column: 1, path: "", message: error.message }];
      return { text: "", verdict: { file, ok: false, type: null, errors } };
    }
    const parsed = parseConfig(text, file, options);
    return { text, verdict: { file, ok: parsed.ok, type: parsed.type, errors: parsed.issues } };
  }
};
