/** One line of a `.gitignore`, or of another file in its language. */
export interface IgnoreRule {
  /** On a path relative to the folder of the ignore file. */
  pattern: RegExp;
  foldersOnly: boolean;
  /** `!`: keeps what an earlier line left out. */
  keeps: boolean;
}

/** The rules of an ignore file, in its order. What is no rule (a comment, a range without an end) matches nothing. */
export function readIgnoreRules(text: string): IgnoreRule[] {
  return text.split(/\r?\n/).flatMap(readRule);
}

/**
 * What the rules of one ignore file say of a path; the last that matches counts.
 * @param path relative to the folder of the ignore file, with `/`
 * @returns null when none of them speaks of it
 */
export function verdictOf(rules: readonly IgnoreRule[], path: string, isFolder: boolean): "kept" | "left out" | null {
  const last = rules.findLast(({ pattern, foldersOnly }) => (isFolder || !foldersOnly) && pattern.test(path));
  if (last === undefined) return null;
  return last.keeps ? "kept" : "left out";
}

function readRule(line: string): IgnoreRule[] {
  if (line.startsWith("#")) return [];
  const keeps = line.startsWith("!");
  // Spaces at the end do not count unless the last is escaped.
  const written = line.slice(keeps ? 1 : 0).replace(/(?<!\\)\s+$/, "");
  const foldersOnly = written.endsWith("/");
  const path = foldersOnly ? written.slice(0, -1) : written;
  if (path === "") return [];
  // With a `/` before its end a pattern is about one place, without one about every name below.
  const glob = path.includes("/") ? path.replace(/^\//, "") : `**/${path}`;
  try {
    return [{ pattern: new RegExp(`^${toRegExp(glob)}$`, "su"), foldersOnly, keeps }];
  } catch {
    return [];
  }
}

/** Each kind of thing that a pattern is made of; what is none of them stands for itself. */
const PARTS = /^\*\*\/|\/\*\*\/|\/\*\*$|\*+|\?|\[[!^]?\]?(?:\\.|[^\]\\])*\]|\\(.)|[\s\S]/gu;

function toRegExp(glob: string): string {
  return glob.replace(PARTS, (part, escaped: string | undefined) => {
    if (escaped !== undefined) return literal(escaped);
    if (part === "**/") return "(?:.*/)?";
    if (part === "/**/") return "/(?:.*/)?";
    if (part === "/**") return "/.+";
    if (part.startsWith("*")) return "[^/]*";
    if (part === "?") return "[^/]";
    return part.length > 1 && part.startsWith("[") ? characters(part) : literal(part);
  });
}

/** `[a-z]` or `[!a-z]`; a range never stands for a `/`. */
function characters(range: string): string {
  const isNegated = /^\[[!^]/.test(range);
  const inside = range
    .slice(isNegated ? 2 : 1, -1)
    .replace(/\\(.)|[[\]\\^&~|]/gsu, (found, escaped: string | undefined) => `\\${escaped ?? found}`);
  return isNegated ? `[^/${inside}]` : `(?!/)[${inside}]`;
}

function literal(text: string): string {
  return text.replace(/[$()*+./?[\\\]^{|}]/g, "\\$&");
}
