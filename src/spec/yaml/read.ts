import { Composer, type CST, type Document, Lexer, LineCounter, Parser } from "yaml";
import { MAX_DEPTH, MAX_ISSUES, MAX_TEXT_CHARS, MAX_TOKENS } from "../limits.ts";
import { convertDocument } from "./convert.ts";
import type { Node, Position } from "./node.ts";
import { explainSyntax } from "./syntax-errors.ts";

/** A problem of the text as YAML, before its meaning is looked at. */
export interface YamlProblem {
  at: Position;
  message: string;
}

export type ReadYaml = { ok: true; root: Node } | { ok: false; problems: YamlProblem[] };

/**
 * Reads exactly one YAML document. Every scalar stays what was written: types are decided by `readPlainScalar` and by
 * the field, not by the YAML library.
 *
 * @param file its name, for messages about the document as a whole
 */
export function readYaml(text: string, file: string): ReadYaml {
  const start: Position = { line: 1, column: 1 };
  if (text.length > MAX_TEXT_CHARS) {
    return refuse(start, `${file} has ${text.length} characters; a configuration may have at most ${MAX_TEXT_CHARS}.`);
  }
  const lines = new LineCounter();
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(Math.min(offset, text.length));
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };

  const tokens = parse(text, lines);
  if (tokens === null) {
    const message = `${file} has more than ${MAX_TOKENS} words and signs, the most that one configuration may have.`;
    return refuse(start, message);
  }
  const tooDeep = findTooDeep(tokens);
  if (tooDeep !== null) {
    return refuse(position(tooDeep), `Mappings and lists are nested more than ${MAX_DEPTH} deep; write it flatter.`);
  }

  const documents = compose(tokens, text.length, lines);
  const errors = documents.flatMap((document) => document.errors).slice(0, MAX_ISSUES);
  if (errors.length > 0) {
    const problems = errors.map((error) => ({ at: position(error.pos[0]), message: explainSyntax(error) }));
    return { ok: false, problems };
  }
  const [document, second] = documents;
  if (!document?.contents) {
    return refuse(start, `${file} is empty; a configuration begins with its type, for example \`type: service\`.`);
  }
  if (second !== undefined) {
    const message = `${file} holds more than one document; keep one and put what follows the \`---\` into a file of its own.`;
    return refuse(position(second.range[0]), message);
  }
  return convertDocument(document.contents, position);
}

function refuse(at: Position, message: string): ReadYaml {
  return { ok: false, problems: [{ at, message }] };
}

/** @returns null for a text that would take too long */
function parse(text: string, lines: LineCounter): CST.Token[] | null {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  const tokens: CST.Token[] = [];
  let read = 0;
  for (const word of new Lexer().lex(text)) {
    read += 1;
    if (read > MAX_TOKENS) return null;
    tokens.push(...parser.next(word));
  }
  tokens.push(...parser.end());
  return tokens;
}

/**
 * With the failsafe schema the library gives every scalar as text. Its check for unique keys compares all pairs, which
 * takes seconds for a large mapping; `convertDocument` does it in one pass.
 */
function compose(tokens: CST.Token[], end: number, lineCounter: LineCounter): Document.Parsed[] {
  const composer = new Composer({ schema: "failsafe", uniqueKeys: false, prettyErrors: false, lineCounter });
  return [...composer.compose(tokens, true, end)] as Document.Parsed[];
}

/** The offset of the first collection that is too deep. The library's next stage is recursive, this is not. */
function findTooDeep(tokens: CST.Token[]): number | null {
  const open = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    if (token.type === "document") {
      if (token.value) open.push({ token: token.value, depth });
    } else if ("items" in token) {
      if (depth >= MAX_DEPTH) return token.offset;
      for (const { key, value } of token.items) {
        if (key) open.push({ token: key, depth: depth + 1 });
        if (value) open.push({ token: value, depth: depth + 1 });
      }
    }
  }
  return null;
}
