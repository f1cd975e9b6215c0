/** A shorter value is found in innocent places, so it counts only where it stands by itself. */
const ANYWHERE_CHARS_MIN = 6;

const WORD = /[\p{L}\p{N}_]/u;

/**
 * A text to be shown, without values that are no one's to read. All of them are looked for in the text as it came: where
 * one begins another or overlaps it, nothing is left of either. Of a short value only what stands between other signs than
 * letters and digits is taken out, since `1` as a value says nothing about the path `/v1/models`. Pure.
 *
 * @param values empty ones are no values
 * @param sign what stands for each stretch that was taken out
 */
export function blotted(text: string, values: readonly string[], sign: string): string {
  const stretches = values.flatMap((value) => placesOf(value, text)).sort((a, b) => a.from - b.from);
  let shown = "";
  let end = 0;
  for (const { from, to } of stretches) {
    if (from > end || shown === "") shown += text.slice(end, from) + sign;
    end = Math.max(end, to);
  }
  return shown + text.slice(end);
}

function placesOf(value: string, text: string): { from: number; to: number }[] {
  const places: { from: number; to: number }[] = [];
  if (value === "") return places;
  // From the next character on: a value can overlap itself.
  for (let from = text.indexOf(value); from !== -1; from = text.indexOf(value, from + 1)) {
    const to = from + value.length;
    if (value.length >= ANYWHERE_CHARS_MIN || standsAlone(text, from, to)) places.push({ from, to });
  }
  return places;
}

function standsAlone(text: string, from: number, to: number): boolean {
  return !WORD.test(text[from - 1] ?? "") && !WORD.test(text[to] ?? "");
}
