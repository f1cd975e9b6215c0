/** Log lines as SGLang writes them, to stderr. */
export type Log = (line: string) => void;

/**
 * @param now the wall clock
 * @param rank of the process among those of the engine
 */
export function logger(now: () => Date, rank: number): Log {
  return (line) => {
    const time = now().toISOString().slice(0, 19).replace("T", " ");
    process.stderr.write(`[${time} TP${rank}] ${line}\n`);
  };
}
