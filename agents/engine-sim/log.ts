/** Log lines as SGLang writes them, to stderr. */
export type Log = (line: string) => void;

/** @param now the wall clock */
export function logger(now: () => Date): Log {
  return (line) => {
    const time = now().toISOString().slice(0, 19).replace("T", " ");
    process.stderr.write(`[${time} TP0] ${line}\n`);
  };
}
