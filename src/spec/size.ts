/**
 * Whether a value comes to more than so many characters, written about as JSON writes it. It is counted no further than
 * that: what stands in it many times over may be too much to write.
 */
export function isLargerThan(value: unknown, charsMax: number): boolean {
  return count(value, charsMax) > charsMax;
}

/** @returns how many characters it has, or any number above `charsMax` */
function count(value: unknown, charsMax: number): number {
  if (typeof value === "string") return value.length + 2;
  if (typeof value !== "object" || value === null) return String(value).length;
  let chars = 2;
  for (const [key, item] of Object.entries(value)) {
    chars += (Array.isArray(value) ? 1 : key.length + 4) + count(item, charsMax - chars);
    if (chars > charsMax) break;
  }
  return chars;
}
