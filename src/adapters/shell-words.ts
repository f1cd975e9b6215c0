/** One simple command of a shell script: its words, quotes removed, variables left as written (`$MODEL_ID`). */
export type CommandWords = string[];

/** `bash -c "sh -c '...'"` is as deep as people go; below that the text is left unread. */
const NESTED_SHELLS_MAX = 3;

const SHELLS = new Set(["sh", "bash", "dash", "zsh", "ash"]);

/**
 * Splits shell text into simple commands, well enough to find a launch line and its flags. It knows quotes, escapes,
 * line continuations, comments, separators, redirections, here-documents and the text given to `sh -c`. It expands
 * nothing: `$VAR`, `${VAR}`, `$(...)` and backquotes stay in the word as written. Text that no shell would accept
 * (an open quote) is read to its end rather than refused: the shell itself says what is wrong with it.
 */
export function readCommands(script: string): CommandWords[] {
  return readNested(script, NESTED_SHELLS_MAX);
}

function readNested(script: string, levelsLeft: number): CommandWords[] {
  const commands = new Scanner(script).commands();
  if (levelsLeft === 0) return commands;
  return commands.flatMap((words) => {
    const inner = shellArgument(words);
    return inner === null ? [words] : [words, ...readNested(inner, levelsLeft - 1)];
  });
}

/** The text that `bash -lc TEXT` would run; null when the command is not of that kind. */
function shellArgument(words: CommandWords): string | null {
  const shell = words.findIndex((word) => SHELLS.has(word.slice(word.lastIndexOf("/") + 1)));
  if (shell < 0) return null;
  const option = words.findIndex((word, index) => index > shell && /^-[a-z]*c$/.test(word));
  return option < 0 ? null : (words[option + 1] ?? null);
}

class Scanner {
  private readonly text: string;
  private at = 0;
  private word: string | null = null;
  private words: CommandWords = [];
  private readonly found: CommandWords[] = [];
  /** What the next word is when it follows a redirection: it is no argument then. */
  private redirect: "file" | "heredoc" | null = null;
  private readonly heredocs: string[] = [];

  constructor(text: string) {
    this.text = text.replaceAll("\r\n", "\n");
  }

  commands(): CommandWords[] {
    while (this.at < this.text.length) this.step(this.text[this.at] as string);
    this.endCommand();
    return this.found;
  }

  private step(char: string): void {
    const next = this.text[this.at + 1];
    if (char === "\\") this.escape(next);
    else if (char === "'") this.singleQuoted();
    else if (char === '"') this.doubleQuoted();
    else if (char === "`" || (char === "$" && (next === "(" || next === "{"))) this.append(this.substitution());
    else if (char === "#" && this.word === null) this.skipComment();
    else if (char === "<" || char === ">" || (char === "&" && next === ">")) this.redirection();
    else this.plain(char);
  }

  private plain(char: string): void {
    this.at += 1;
    if (char === "\n") this.endLine();
    else if (char === " " || char === "\t") this.endWord();
    else if (";|&()".includes(char)) this.endCommand();
    else this.append(char);
  }

  private append(text: string): void {
    this.word = (this.word ?? "") + text;
  }

  private escape(next: string | undefined): void {
    this.at += 2;
    if (next !== undefined && next !== "\n") this.append(next);
  }

  private singleQuoted(): void {
    const end = this.text.indexOf("'", this.at + 1);
    const stop = end < 0 ? this.text.length : end;
    this.append(this.text.slice(this.at + 1, stop));
    this.at = stop + 1;
  }

  private doubleQuoted(): void {
    this.append("");
    this.at += 1;
    while (this.at < this.text.length) {
      const char = this.text[this.at] as string;
      const next = this.text[this.at + 1];
      if (char === '"') break;
      if (char === "\\" && next !== undefined && '"\\$`\n'.includes(next)) this.escape(next);
      else if (char === "`" || (char === "$" && (next === "(" || next === "{"))) this.append(this.substitution());
      else {
        this.append(char);
        this.at += 1;
      }
    }
    this.at += 1;
  }

  /** Takes a `$(...)`, `${...}` or backquoted part as it stands, with whatever is nested in it. */
  private substitution(): string {
    const start = this.at;
    if (this.text[start] === "`") {
      const end = this.text.indexOf("`", start + 1);
      this.at = end < 0 ? this.text.length : end + 1;
      return this.text.slice(start, this.at);
    }
    const open = this.text[start + 1] as string;
    const close = open === "(" ? ")" : "}";
    let depth = 0;
    for (this.at += 1; this.at < this.text.length; this.at += 1) {
      const char = this.text[this.at];
      if (char === "\\") this.at += 1;
      else if (char === "'" && close === ")") {
        const end = this.text.indexOf("'", this.at + 1);
        this.at = end < 0 ? this.text.length : end;
      } else if (char === open) depth += 1;
      else if (char === close) depth -= 1;
      if (depth === 0) break;
    }
    this.at = Math.min(this.at + 1, this.text.length);
    return this.text.slice(start, this.at);
  }

  private skipComment(): void {
    const end = this.text.indexOf("\n", this.at);
    this.at = end < 0 ? this.text.length : end;
  }

  private redirection(): void {
    // In `2>err` the number belongs to the redirection; in `a2>err` it does not.
    if (this.word !== null && /^\d+$/.test(this.word)) this.word = null;
    this.endWord();
    const operator = /^&?[<>]+[&|-]?/.exec(this.text.slice(this.at, this.at + 5))?.[0] ?? ">";
    this.at += operator.length;
    this.redirect = /^<<-?$/.test(operator) ? "heredoc" : "file";
  }

  private endWord(): void {
    if (this.word === null) return;
    if (this.redirect === "heredoc") this.heredocs.push(this.word);
    else if (this.redirect === null) this.words.push(this.word);
    this.redirect = null;
    this.word = null;
  }

  private endCommand(): void {
    this.endWord();
    this.redirect = null;
    if (this.words.length > 0) this.found.push(this.words);
    this.words = [];
  }

  private endLine(): void {
    this.endCommand();
    for (const delimiter of this.heredocs.splice(0)) this.skipHeredoc(delimiter);
  }

  private skipHeredoc(delimiter: string): void {
    while (this.at < this.text.length) {
      const newline = this.text.indexOf("\n", this.at);
      const end = newline < 0 ? this.text.length : newline;
      const line = this.text.slice(this.at, end);
      this.at = end + 1;
      if (line.replace(/^\t+/, "") === delimiter) return;
    }
  }
}
