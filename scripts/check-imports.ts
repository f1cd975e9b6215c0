import { readdir, readFile } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { ROOT } from "./bootstrap.js";
import { importProblem, impureUses, isTestFile } from "./import-rules.ts";
import { blankText, importsOf, lineAt } from "./source-text.ts";

const FOLDERS = ["src", "agents"];

/** Holds every source file to the rules of import-rules.ts; each breach is told as `file:line: what to do`. */
export async function checkImports(): Promise<{ ok: boolean; output: string }> {
  const problems: string[] = [];
  for (const folder of FOLDERS) {
    for (const entry of await readdir(join(ROOT, folder), { recursive: true })) {
      const file = posix.join(folder, entry.replaceAll("\\", "/"));
      if (!/\.[jt]s$/.test(file) || isTestFile(file) || file.includes("/node_modules/")) continue;
      problems.push(...fileProblems(file, await readFile(join(ROOT, file), "utf8")));
    }
  }
  return { ok: problems.length === 0, output: problems.join("\n") };
}

/** @param file path in the checkout, with slashes */
export function fileProblems(file: string, source: string): string[] {
  const problems: { line: number; problem: string }[] = [];
  for (const { specifier, line } of importsOf(source)) {
    const isPath = specifier.startsWith(".");
    const target = isPath ? posix.join(dirname(file), specifier) : specifier;
    const problem = importProblem(file, target, isPath);
    if (problem) problems.push({ line, problem });
  }
  for (const { index, problem } of impureUses(file, blankText(source)))
    problems.push({ line: lineAt(source, index), problem });
  return problems.sort((a, b) => a.line - b.line).map(({ line, problem }) => `${file}:${line}: ${problem}`);
}
