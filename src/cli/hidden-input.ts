import type { ReadStream } from "node:tty";

const ENTER = ["\r", "\n"];
const BACKSPACE = ["\b", "\u007f"];
const CTRL_C = "\u0003";
const CTRL_D = "\u0004";

/** Longer than any token; what is longer is a file, which is not typed. */
const CHARS_MAX = 4_096;

/**
 * Reads a line from a terminal without showing it. The terminal is given back as it was, whatever happens.
 * @param interrupt called at Ctrl-C, in place of the signal that the terminal sends otherwise; it may abort `signal`
 * @throws Error when more is entered than is taken, when the user leaves by Ctrl-C or Ctrl-D, or `signal` aborts
 */
export function readHidden(
  terminal: ReadStream,
  screen: { write(text: string): unknown },
  question: string,
  signal: AbortSignal,
  interrupt: () => void,
): Promise<string> {
  screen.write(question);
  const wasRaw = terminal.isRaw;
  terminal.setRawMode(true).setEncoding("utf8").resume();
  let typed = "";
  return new Promise<string>((resolve, reject) => {
    const end = (settle: () => void) => {
      terminal.off("data", read).setRawMode(wasRaw).pause();
      signal.removeEventListener("abort", abort);
      screen.write("\n");
      settle();
    };
    const abort = () => end(() => reject(signal.reason));
    const read = (chunk: string) => {
      for (const char of chunk) {
        if (ENTER.includes(char)) return end(() => resolve(typed));
        // In raw mode the terminal sends these as characters.
        if (char === CTRL_C || char === CTRL_D) {
          end(() => reject(new Error("Nothing was entered.")));
          // Behind it: an abort would end it a second time.
          if (char === CTRL_C) interrupt();
          return;
        }
        typed = BACKSPACE.includes(char) ? typed.slice(0, -1) : typed + char;
        if (typed.length > CHARS_MAX) {
          const message = `More than ${CHARS_MAX} characters were entered; give them on standard input.`;
          return end(() => reject(new Error(message)));
        }
      }
    };
    signal.addEventListener("abort", abort, { once: true });
    terminal.on("data", read);
  });
}
