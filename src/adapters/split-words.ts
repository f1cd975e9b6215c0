/**
 * A command line as its words, as a shell would cut one without operators: quotes group, a backslash takes the next
 * character as it is, within double quotes only where it has to. A quote that is not closed reaches to the end.
 */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  const word = /(?:[^\s"'\\]|\\[\s\S]|'[^']*(?:'|$)|"(?:[^"\\]|\\[\s\S])*(?:"|$)|\\$)+/g;
  for (const [written] of line.matchAll(word)) words.push(written.replace(PIECE, unquoted));
  return words;
}

const PIECE = /'([^']*)(?:'|$)|"((?:[^"\\]|\\[\s\S])*)(?:"|$)|\\([\s\S])/g;

function unquoted(_: string, single?: string, double?: string, escaped?: string): string {
  if (single !== undefined) return single;
  if (double !== undefined) return double.replace(/\\(["\\$`])/g, "$1").replaceAll("\\\n", "");
  return escaped === "\n" ? "" : (escaped ?? "");
}
