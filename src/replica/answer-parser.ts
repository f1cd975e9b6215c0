/** The head of an answer and its headers may take this much: Node's own limit. The same holds for its trailers. */
const HEAD_BYTES_MAX = 16 * 1024;
/** The line that says how long a chunk is. Nobody uses what may follow the number. */
const CHUNK_LINE_BYTES_MAX = 1_024;
/** Interim answers (1xx) before the one that counts. */
const INTERIM_MAX = 16;

/** The replica does not speak HTTP/1.1, or not well enough to tell where its answer ends. */
export class InvalidAnswer extends Error {
  override name = "InvalidAnswer";
}

export interface ParsedHead {
  status: number;
  /** Names in lower case. */
  headers: [string, string][];
  /** Bytes of the body; null: only its end tells. */
  length: number | null;
}

/** Is told of an answer as it is read. */
export interface AnswerReader {
  head(head: ParsedHead): void;
  /** A piece of the body; its memory is read into again afterwards. */
  data(bytes: Buffer): void;
}

type State = "head" | "length" | "until_close" | "chunk_size" | "chunk" | "chunk_end" | "trailers" | "done";

/**
 * Reads one answer from the bytes of a connection (RFC 9112). It is strict where two readers could disagree on where an
 * answer ends, since what follows would be taken for the next caller's.
 */
export class AnswerParser {
  readonly #reader: AnswerReader;
  /** The answer is one to HEAD: it has no body whatever its headers say. */
  readonly #bodiless: boolean;
  #state: State = "head";
  /** Bytes that the body, or its present chunk, still has. */
  #left = 0;
  /** The beginning of a head or a line whose rest has not come. */
  #held: Buffer | null = null;
  #interim = 0;
  #trailerBytes = 0;
  #reusable = false;
  #keepMs: number | null = null;

  constructor(reader: AnswerReader, bodiless: boolean) {
    this.#reader = reader;
    this.#bodiless = bodiless;
  }

  /** The answer has been read to its end. */
  get done(): boolean {
    return this.#state === "done";
  }

  /** Another answer can follow on the connection. */
  get reusable(): boolean {
    return this.#reusable;
  }

  /** For how long the replica keeps an idle connection, in ms; null: it did not say. */
  get keepMs(): number | null {
    return this.#keepMs;
  }

  /** @throws InvalidAnswer. */
  feed(read: Buffer): void {
    const bytes = this.#held === null ? read : Buffer.concat([this.#held, read]);
    this.#held = null;
    let at = 0;
    while (at < bytes.length) {
      const next = this.#step(bytes, at);
      if (next === at) {
        this.#held = Buffer.from(bytes.subarray(at));
        return;
      }
      at = next;
    }
  }

  /** The replica has closed its side. @throws InvalidAnswer when that is not the end of the answer. */
  closed(): void {
    if (this.#state === "until_close") this.#state = "done";
    if (this.#state !== "done")
      throw new InvalidAnswer("the replica closed the connection in the middle of its answer");
  }

  /** @returns up to where it has read; the same place when it needs more than there is */
  #step(bytes: Buffer, at: number): number {
    switch (this.#state) {
      case "head":
        return this.#head(bytes, at);
      case "length":
      case "chunk": {
        const end = Math.min(bytes.length, at + this.#left);
        this.#left -= end - at;
        if (this.#left === 0) this.#state = this.#state === "length" ? "done" : "chunk_end";
        this.#reader.data(bytes.subarray(at, end));
        return end;
      }
      case "until_close":
        this.#reader.data(bytes.subarray(at));
        return bytes.length;
      case "chunk_size":
        return this.#chunkSize(bytes, at);
      case "chunk_end":
        if (bytes[at] !== CR || (at + 1 < bytes.length && bytes[at + 1] !== LF))
          throw new InvalidAnswer("a broken chunk");
        if (at + 1 === bytes.length) return at;
        this.#state = "chunk_size";
        return at + 2;
      case "trailers":
        return this.#trailer(bytes, at);
      case "done":
        // Nothing was asked for that this could be the answer to.
        this.#reusable = false;
        return bytes.length;
    }
  }

  #head(bytes: Buffer, at: number): number {
    const end = bytes.indexOf("\r\n\r\n", at, "latin1");
    if ((end < 0 ? bytes.length : end) - at > HEAD_BYTES_MAX) throw new InvalidAnswer("a head larger than 16 KiB");
    if (end < 0) return at;
    const { status, minor, headers } = parseHead(bytes.toString("latin1", at, end));
    if (status < 200) {
      this.#interim += 1;
      if (status === 101 || this.#interim > INTERIM_MAX) throw new InvalidAnswer(`status ${status} out of turn`);
      return end + 4;
    }
    this.#begin(status, minor, headers);
    return end + 4;
  }

  #begin(status: number, minor: number, headers: [string, string][]): void {
    let length: number | null = null;
    let chunked = false;
    let closes = minor === 0;
    for (const [name, value] of headers) {
      if (name === "content-length") {
        if (length !== null || !/^\d{1,15}$/.test(value)) throw new InvalidAnswer("a length that is none");
        length = Number(value);
      } else if (name === "transfer-encoding") {
        if (chunked || minor === 0 || value.toLowerCase() !== "chunked") {
          throw new InvalidAnswer(`the transfer coding ${value}`);
        }
        chunked = true;
      } else if (name === "connection") closes ||= /(^|,)\s*close\s*(,|$)/i.test(value);
      else if (name === "keep-alive") this.#keepMs = keepMsOf(value);
    }
    if (chunked && length !== null) throw new InvalidAnswer("a length and chunks");
    if (this.#bodiless || status === 204 || status === 304) {
      length = 0;
      chunked = false;
    }
    this.#reusable = !closes && (chunked || length !== null);
    this.#left = length ?? 0;
    if (chunked) this.#state = "chunk_size";
    else this.#state = length === null ? "until_close" : length === 0 ? "done" : "length";
    this.#reader.head({ status, headers, length });
  }

  #chunkSize(bytes: Buffer, at: number): number {
    const end = lineEnd(bytes, at, CHUNK_LINE_BYTES_MAX);
    if (end < 0) return at;
    const size = /^([0-9a-f]{1,8})[ \t]*(;|$)/i.exec(bytes.toString("latin1", at, end))?.[1];
    if (size === undefined) throw new InvalidAnswer("a chunk without a size");
    this.#left = Number.parseInt(size, 16);
    this.#state = this.#left === 0 ? "trailers" : "chunk";
    return end + 2;
  }

  /** Trailers are read and dropped. */
  #trailer(bytes: Buffer, at: number): number {
    const end = lineEnd(bytes, at, HEAD_BYTES_MAX);
    if (end < 0) return at;
    this.#trailerBytes += end + 2 - at;
    if (this.#trailerBytes > HEAD_BYTES_MAX) throw new InvalidAnswer("trailers larger than 16 KiB");
    if (end === at) this.#state = "done";
    return end + 2;
  }
}

const CR = 13;
const LF = 10;

/** @returns where the line ends; -1: it is not all there */
function lineEnd(bytes: Buffer, at: number, max: number): number {
  const end = bytes.indexOf(LF, at);
  if ((end < 0 ? bytes.length : end) - at > max) throw new InvalidAnswer("a line that does not end");
  if (end < 0) return -1;
  if (end === at || bytes[end - 1] !== CR) throw new InvalidAnswer("a line that does not end as HTTP has it");
  return end - 1;
}

/** What no head has: controls, and line ends of other kinds. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const NOT_IN_A_HEAD = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n/;
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: |$)/;
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

function parseHead(text: string): { status: number; minor: number; headers: [string, string][] } {
  if (NOT_IN_A_HEAD.test(text)) throw new InvalidAnswer("a head with characters that HTTP does not allow");
  const lines = text.split("\r\n");
  const [, minor, status] = STATUS_LINE.exec(lines[0]!) ?? [];
  if (status === undefined) throw new InvalidAnswer("something that is not HTTP/1.1");
  const headers: [string, string][] = [];
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i]!;
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    if (colon < 1 || !NAME.test(name)) throw new InvalidAnswer("a line in its head that is no header");
    headers.push([name, blanksOff(line, colon + 1)]);
  }
  return { status: Number(status), minor: Number(minor), headers };
}

/** Without the blanks around it. Not `trim`, to which the second byte of an "à" is a blank. */
function blanksOff(line: string, from: number): string {
  let to = line.length;
  while (from < to && isBlank(line.charCodeAt(from))) from += 1;
  while (to > from && isBlank(line.charCodeAt(to - 1))) to -= 1;
  return line.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}

function keepMsOf(value: string): number | null {
  const seconds = /(?:^|,)\s*timeout=(\d{1,6})/i.exec(value)?.[1];
  return seconds === undefined ? null : Number(seconds) * 1_000;
}
