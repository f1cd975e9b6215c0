import { createInterface, type ReadLineOptions } from "node:readline/promises";

/**
 * Asks for a line at a terminal, which shows it as it is typed.
 * @param interrupt called at Ctrl-C, in place of the signal that the terminal sends otherwise; it aborts `signal`
 * @throws Error when the user leaves by Ctrl-C or Ctrl-D, or `signal` aborts
 */
export async function readShown(
  streams: Pick<ReadLineOptions, "input" | "output" | "terminal">,
  question: string,
  signal: AbortSignal,
  interrupt: () => void,
): Promise<string> {
  const lines = createInterface(streams);
  lines.on("SIGINT", interrupt);
  // Readline leaves a question for ever unanswered whose input has ended.
  const left = new Promise<never>((_, reject) => {
    lines.once("close", () => reject(new Error("Nothing was entered.")));
  });
  try {
    return await Promise.race([lines.question(question, { signal }), left]);
  } finally {
    lines.close();
  }
}
