import { writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { parseConfig } from "../../spec/index.ts";
import { type AddCommand, countFlag, printLine } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { CliError } from "../failure.ts";
import { type FirstFile, firstFile, nameOf } from "../first-file.ts";
import type { Io } from "../io.ts";

interface InitFlags {
  file: string;
  model?: string;
  gpus?: string;
  prefillDecode?: boolean;
  replicas?: number;
  router?: boolean;
  name?: string;
  yes?: boolean;
  force?: boolean;
}

/** A small model that needs no token. */
const MODEL = "Qwen/Qwen3-8B";
const GPUS = "H100:1";
const REPLICAS_MAX = 1_000;

export const addInit: AddCommand = (program, { io }) => {
  program
    .command("init")
    .description("Write a first service file, after a few questions")
    .option("-f, --file <file>", "where to write it", "service.yml")
    .option("--model <model>", `the model, as its hub calls it or a folder of the hosts (${MODEL})`)
    .option("--gpus <gpus>", `accelerators of one replica, e.g. H200:8; none for none (${GPUS})`)
    .option("--prefill-decode", "prefill and decode as groups of their own, behind a router")
    .option("--router", "a router in front of the workers")
    .option("--replicas <n>", "how many workers, or decodes (1)", countFlag(1, REPLICAS_MAX))
    .option("--name <name>", "the service's name; made from the model's unless given")
    .option("-y, --yes", "do not ask: take what the flags say, and else what stands in brackets")
    .option("--force", "overwrite a file that is there")
    .addHelpText(
      "after",
      "\nExamples:\n  headrace init\n  headrace init -y --model Qwen/Qwen3-32B --gpus H200:2 --prefill-decode -f qwen.yml",
    )
    .action(async (flags: InitFlags) => {
      const answers = await answersOf(io, flags);
      const text = firstFile(answers);
      const parsed = parseConfig(text, flags.file);
      if (!parsed.ok) {
        const said = parsed.issues.map(({ path, message }) => `\n  ${path}: ${message}`).join("");
        throw new CliError(EXIT.usage, `These answers make no valid file.${said}`, "Nothing was written.");
      }
      await write(flags.file, text, flags.force ?? false);
      printLine(io, `Wrote ${flags.file}. Next: \`headrace plan -f ${flags.file}\`.`);
    });
};

/** What the flags leave open is asked for, or with `-y` taken as usual. */
async function answersOf(io: Io, flags: InitFlags): Promise<FirstFile> {
  if (!flags.yes && !io.stdin.isTTY) {
    throw new CliError(EXIT.usage, "There is no terminal to ask at.", "Give -y to go on without being asked.");
  }
  const ask = async (question: string, usual: string): Promise<string> => {
    if (flags.yes) return usual;
    const answer = await io.stdin.ask(`${question} [${usual}] `, { hidden: false, signal: io.interrupted });
    return answer.trim() || usual;
  };
  const isYes = async (question: string) => /^y(es)?$/i.test(await ask(question, "n"));

  const model = flags.model ?? (await ask("Which model?", MODEL));
  const gpus = flags.gpus ?? (await ask("Accelerators of one replica (none for none)?", GPUS));
  const disaggregated = flags.prefillDecode ?? (await isYes("Prefill and decode as groups of their own?"));
  const replicas =
    flags.replicas ?? replicasOf(await ask(disaggregated ? "How many decodes?" : "How many workers?", "1"));
  const router = disaggregated || (flags.router ?? (replicas > 1 && (await isYes("A router in front of them?"))));
  const gpu = gpus === "none" ? null : gpus;
  return { name: flags.name ?? nameOf(model), model, gpu, disaggregated, replicas, router };
}

/** @throws CliError for anything but a number that a group may have */
function replicasOf(answer: string): number {
  const replicas = /^\d{1,5}$/.test(answer) ? Number(answer) : 0;
  if (replicas >= 1 && replicas <= REPLICAS_MAX) return replicas;
  throw new CliError(EXIT.usage, `Give a whole number from 1 to ${REPLICAS_MAX}.`, "Nothing was written.");
}

/** @throws CliError when the file is there and may not be overwritten, or cannot be written */
async function write(file: string, text: string, force: boolean): Promise<void> {
  try {
    await writeFile(file, text, { flag: force ? "w" : "wx" });
  } catch (error) {
    const failure = error as NodeJS.ErrnoException;
    if (failure.code === "EEXIST") {
      throw new CliError(EXIT.failed, `${file} is there already.`, "Give --force to overwrite it, or -f for another.");
    }
    throw new CliError(EXIT.failed, `Cannot write ${file}: ${whyNot(file, failure)}.`);
  }
}

function whyNot(file: string, { code, message }: NodeJS.ErrnoException): string {
  if (code === "ENOENT") return `there is no folder ${dirname(file)}; make it, or give -f another place`;
  if (code === "ENOTDIR") return `${dirname(file)} is no folder`;
  if (code === "EISDIR") return "it is a folder";
  if (code === "EACCES") return `you may not write in ${dirname(file)}`;
  return message;
}
