/** What may stand before a slash that opens a regular expression; after anything else a slash divides. */
const BEFORE_REGEX = /(^|[([{,;:=!&|?+\-*%<>~^}]|\b(return|typeof|case|in|of|do|else|void|delete|await|yield))\s*$/;

/** Enough of the text before a slash to decide that. */
const LOOK_BACK = 40;

/**
 * The code of a TypeScript file with comments and the insides of strings, templates and regular expressions replaced by
 * blanks, every other character at its place; what templates interpolate is code and stays.
 */
export function blankText(source: string): string {
  let out = "";
  /** For each template being interpolated, how many braces are open inside the interpolation. */
  const interpolations: number[] = [];
  let at = 0;
  const keep = (length: number) => {
    out += source.slice(at, at + length);
    at += length;
  };
  const blankTo = (end: number) => {
    out += source.slice(at, end).replace(/[^\n]/g, " ");
    at = end;
  };
  const template = () => {
    const end = endOfTemplateText(source, at);
    blankTo(end);
    if (source[at] === "`") keep(1);
    else if (at < source.length) {
      keep(2);
      interpolations.push(0);
    }
  };
  while (at < source.length) {
    const char = source[at] ?? "";
    const pair = source.slice(at, at + 2);
    if (pair === "//") blankTo(indexOrEnd(source, "\n", at));
    else if (pair === "/*") blankTo(Math.min(indexOrEnd(source, "*/", at + 2) + 2, source.length));
    else if (char === '"' || char === "'") {
      keep(1);
      blankTo(endOfQuoted(source, at, char));
      keep(1);
    } else if (char === "`") {
      keep(1);
      template();
    } else if (char === "/" && BEFORE_REGEX.test(out.slice(-LOOK_BACK))) {
      keep(1);
      blankTo(endOfRegex(source, at));
      keep(1);
    } else if (char === "}" && interpolations.at(-1) === 0) {
      interpolations.pop();
      keep(1);
      template();
    } else {
      const depth = interpolations.length - 1;
      if (depth >= 0 && char === "{") interpolations[depth] = (interpolations[depth] ?? 0) + 1;
      if (depth >= 0 && char === "}") interpolations[depth] = (interpolations[depth] ?? 0) - 1;
      keep(1);
    }
  }
  return out;
}

function indexOrEnd(source: string, what: string, from: number): number {
  const index = source.indexOf(what, from);
  return index < 0 ? source.length : index;
}

function endOfQuoted(source: string, from: number, quote: string): number {
  let at = from;
  while (at < source.length && source[at] !== quote && source[at] !== "\n") at += source[at] === "\\" ? 2 : 1;
  return at;
}

function endOfTemplateText(source: string, from: number): number {
  let at = from;
  while (at < source.length && source[at] !== "`" && source.slice(at, at + 2) !== "${")
    at += source[at] === "\\" ? 2 : 1;
  return at;
}

/** A slash inside a class of characters does not close the expression. */
function endOfRegex(source: string, from: number): number {
  let at = from;
  let inClass = false;
  while (at < source.length && source[at] !== "\n" && (inClass || source[at] !== "/")) {
    if (source[at] === "[") inClass = true;
    if (source[at] === "]") inClass = false;
    at += source[at] === "\\" ? 2 : 1;
  }
  return at;
}

export interface ImportStatement {
  specifier: string;
  /** From 1. */
  line: number;
}

/** What a file imports or exports from elsewhere: statements, `import()` and `import("x").Type`. */
export function importsOf(source: string): ImportStatement[] {
  const code = blankText(source);
  const found: ImportStatement[] = [];
  for (const match of code.matchAll(/(?<![.\w$])(?:from|import\s*\(|import)\s*(["'`])\s*\1/g)) {
    const quote = match.index + match[0].indexOf(match[1] ?? "");
    const specifier = source.slice(quote + 1, match.index + match[0].length - 1);
    found.push({ specifier, line: lineAt(source, match.index) });
  }
  return found;
}

export function lineAt(source: string, index: number): number {
  return source.slice(0, index).split("\n").length;
}
