/** Longer words are not typing slips of ours, and comparing them costs time for nothing. */
const MAX_WORD_CHARS = 40;

/**
 * The word of `known` that `word` was probably meant to be: the nearest by edits, where swapping two neighbours counts
 * as one edit. Nothing is suggested when more than a third of the word would have to change.
 */
export function nearest(word: string, known: readonly string[]): string | null {
  if (word.length > MAX_WORD_CHARS) return null;
  const written = simplify(word);
  let best: { word: string; edits: number } | null = null;
  for (const candidate of known) {
    const edits = editDistance(written, simplify(candidate));
    if (best === null || edits < best.edits) best = { word: candidate, edits };
  }
  if (best === null) return null;
  const allowed = Math.max(1, Math.floor(Math.max(written.length, best.word.length) / 3));
  return best.edits <= allowed ? best.word : null;
}

/** `workingDir`, `working-dir` and `Working_Dir` are the same word to a reader. */
function simplify(word: string): string {
  return word
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .replaceAll("-", "_")
    .toLowerCase();
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let edits = Math.min(row[j - 1]! + 1, last[j]! + 1, last[j - 1]! + same);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) edits = Math.min(edits, beforeLast[j - 2]! + 1);
      row.push(edits);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
