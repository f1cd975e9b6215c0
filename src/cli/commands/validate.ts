import { parseConfig } from "../../spec/index.ts";
import type { SpecIssue } from "../../spec/types.ts";
import { readConfig } from "../config-file.ts";
import { type AddCommand, collect, printJson, printLine } from "../context.ts";
import { showIssue } from "../diagnostics.ts";
import { EXIT } from "../exit-codes.ts";
import { CliError } from "../failure.ts";
import { colorsFor } from "../style.ts";

/** One line of `validate --json`. */
interface Verdict {
  file: string;
  ok: boolean;
  type: string | null;
  errors: SpecIssue[];
}

export const addValidate: AddCommand = (program, context) => {
  const { io } = context;
  program
    .command("validate")
    .description("Check configuration files; needs no server")
    .requiredOption("-f, --file <file>", "a file, or - for standard input; may be given several times", collect)
    .argument("[files...]", "more files")
    .option("--json", 'one line per file: {"file", "ok", "type", "errors": [{"line", "column", "path", "message"}]}')
    .addHelpText(
      "after",
      "\nExamples:\n  headrace validate -f service.yml\n  headrace validate -f *.yml --json\n\nExits 1 if any file is invalid.",
    )
    .action(async (more: string[], options: { file: string[]; json?: boolean }) => {
      const colors = colorsFor(io.stdout, io.env);
      for (const file of [...options.file, ...more]) {
        const { text, verdict } = await check(file);
        if (!verdict.ok) context.exitCode = EXIT.failed;
        if (options.json) printJson(io, verdict);
        else if (verdict.ok) printLine(io, `${file}: ${colors.green("ok")} (${verdict.type})`);
        else for (const issue of verdict.errors) printLine(io, showIssue({ file, text }, issue, colors));
      }
    });

  async function check(file: string): Promise<{ text: string; verdict: Verdict }> {
    let text: string;
    try {
      text = await readConfig(io, file);
    } catch (error) {
      // One that cannot be read is reported in its turn, so that the others are still checked.
      if (!(error instanceof CliError)) throw error;
      const errors = [{ line: 1, column: 1, path: "", message: error.message }];
      return { text: "", verdict: { file, ok: false, type: null, errors } };
    }
    const parsed = parseConfig(text, file);
    return { text, verdict: { file, ok: parsed.ok, type: parsed.type, errors: parsed.issues } };
  }
};
