/** Pairs of lines compared at most, so that two huge texts cost no more than a moment; beyond it all counts as changed. */
const PAIRS_MAX = 250_000;

/** Lines of a change that are shown. */
const LINES_SHOWN = 24;

/** What is the same around a change, so that its place is known. */
const CONTEXT_LINES = 1;

/** Characters of one line that are shown. */
const LINE_CHARS = 100;

/** What two lists of commands have not in common. */
export interface LineDiff {
  /** `- ` gone, `+ ` new, `  ` the same and near. */
  lines: string[];
  removed: string[];
  added: string[];
}

/** Compares commands flag by flag, since that is how people change launch lines. */
export function diffCommands(a: readonly string[], b: readonly string[]): LineDiff {
  const marked = markLines(a.flatMap(flagLines), b.flatMap(flagLines));
  const near = marked.map((_line, index) =>
    marked.slice(Math.max(0, index - CONTEXT_LINES), index + CONTEXT_LINES + 1).some(([mark]) => mark !== " "),
  );
  const shown = marked.flatMap(([mark, line], index) => {
    if (near[index]) return [`${mark} ${cut(line)}`];
    return near[index - 1] ? ["  ..."] : [];
  });
  const whole = shown.at(-1) === "  ..." ? shown.slice(0, -1) : shown;
  const more = whole.length - LINES_SHOWN;
  const of = (wanted: Mark) => marked.flatMap(([mark, line]) => (mark === wanted ? [line] : []));
  return {
    lines: more > 1 ? [...whole.slice(0, LINES_SHOWN), `  ... and ${more} more lines`] : whole,
    removed: of("-"),
    added: of("+"),
  };
}

type Mark = " " | "-" | "+";

/** A command's lines, each flag on one of its own. */
function flagLines(command: string): string[] {
  return command
    .split("\n")
    .flatMap((line) => line.replace(/\\\s*$/, "").split(/\s+(?=--?[a-zA-Z])/))
    .map((line) => line.replace(/\s+/g, " ").trim())
    .filter((line) => line !== "");
}

/** The longest common subsequence, between what is the same at both ends. */
function markLines(a: string[], b: string[]): [Mark, string][] {
  let start = 0;
  while (start < a.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  const same = (line: string): [Mark, string] => [" ", line];
  const middle = markMiddle(a.slice(start, a.length - end), b.slice(start, b.length - end));
  return [...a.slice(0, start).map(same), ...middle, ...a.slice(a.length - end).map(same)];
}

function markMiddle(a: string[], b: string[]): [Mark, string][] {
  if (a.length * b.length > PAIRS_MAX) {
    return [...a.map((line): [Mark, string] => ["-", line]), ...b.map((line): [Mark, string] => ["+", line])];
  }
  // lengths[i][j]: how many lines `a` from i on and `b` from j on have in common.
  const lengths = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  const at = (i: number, j: number) => lengths[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1) {
    const row = lengths[i] as number[];
    for (let j = b.length - 1; j >= 0; j -= 1) {
      row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const marked: [Mark, string][] = [];
  for (let [i, j] = [0, 0]; i < a.length || j < b.length; ) {
    if (i < a.length && a[i] === b[j]) {
      marked.push([" ", a[i] as string]);
      [i, j] = [i + 1, j + 1];
    } else if (i < a.length && (j === b.length || at(i + 1, j) >= at(i, j + 1))) {
      marked.push(["-", a[i] as string]);
      i += 1;
    } else {
      marked.push(["+", b[j] as string]);
      j += 1;
    }
  }
  return marked;
}

function cut(line: string): string {
  return line.length > LINE_CHARS ? `${line.slice(0, LINE_CHARS)}...` : line;
}
