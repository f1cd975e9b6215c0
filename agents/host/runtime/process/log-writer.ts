import { closeSync, fstatSync, openSync, rmSync, writeFileSync } from "node:fs";
import { cutLine, isShellNoise, LOG_LINE_BYTES_MAX, SHELL_NOISE_MAX, splitProgress } from "../log-text.ts";
import { LOG_SEGMENT_BYTES_MIN, LOG_SEGMENTS_MAX, listSegments, recordPrefix, segmentPath } from "./log-format.ts";

/**
 * Output is taken in pieces of this size. The worst piece is all empty lines, each of which grows to a record of about
 * 20 bytes; the smallest segment takes it.
 */
const PIECE_BYTES_MAX = 16 * 1024;

/**
 * Writes a job's output as records into segments. Writing is synchronous: a full disk or a slow one holds up the
 * supervisor and, through its pipe, the job; but when writing fails the output is dropped, since a job must never
 * hang for its log.
 */
export class LogWriter {
  readonly #folder: string;
  readonly #attempt: number;
  readonly #segmentBytesMax: number;
  readonly #now: () => number;
  #segment: number;
  #fd: number;
  #size: number;
  /** The line that has no end yet. Bytes are held as latin1 so that one character is one byte. */
  #unfinished = "";
  /** Within the rest of a line that was cut already. */
  #skipping = false;
  #noiseLeft = SHELL_NOISE_MAX;

  /** Goes on in the folder's last segment. `bytesMax` bounds all segments together, but is at least 2 MiB. */
  constructor(folder: string, attempt: number, bytesMax: number, now: () => number = Date.now) {
    this.#folder = folder;
    this.#attempt = attempt;
    this.#segmentBytesMax = Math.max(LOG_SEGMENT_BYTES_MIN, Math.floor(bytesMax / LOG_SEGMENTS_MAX));
    this.#now = now;
    this.#segment = listSegments(folder).at(-1) ?? 1;
    this.#fd = openSync(segmentPath(folder, this.#segment), "a", 0o600);
    this.#size = fstatSync(this.#fd).size;
  }

  write(chunk: Buffer): void {
    for (let start = 0; start < chunk.length; start += PIECE_BYTES_MAX) {
      this.#writePiece(chunk.toString("latin1", start, start + PIECE_BYTES_MAX));
    }
  }

  /** Writes what has no line end and closes the file. */
  end(): void {
    if (this.#unfinished !== "") this.#writeLines([this.#unfinished]);
    this.#unfinished = "";
    closeSync(this.#fd);
  }

  #writePiece(piece: string): void {
    const lines = (this.#unfinished + piece).split("\n");
    this.#unfinished = lines.pop() ?? "";
    if (this.#skipping && lines.length > 0) {
      lines.shift();
      this.#skipping = false;
    } else if (this.#skipping) {
      this.#unfinished = "";
    }
    // What a progress bar has returned over is shown now. A return at the very end may still be half of a CRLF.
    const over = this.#unfinished.lastIndexOf("\r", this.#unfinished.length - 2);
    if (over > 0) {
      lines.push(this.#unfinished.slice(0, over));
      this.#unfinished = this.#unfinished.slice(over + 1);
    }
    if (this.#unfinished.length > LOG_LINE_BYTES_MAX) {
      lines.push(this.#unfinished);
      this.#unfinished = "";
      this.#skipping = true;
    }
    if (lines.length > 0) this.#writeLines(lines);
  }

  #writeLines(lines: string[]): void {
    let shown = lines.some((line) => line.includes("\r")) ? lines.flatMap(splitProgress) : lines;
    if (this.#noiseLeft > 0) shown = this.#withoutNoise(shown);
    if (shown.length === 0) return;
    const prefix = recordPrefix(this.#now(), this.#attempt);
    const text = prefix + shown.map(cutLine).join(`\n${prefix}`);
    this.#append(Buffer.from(`${text}\n`, "latin1"));
  }

  /** The noise comes first; the first line that is none ends the search. */
  #withoutNoise(lines: string[]): string[] {
    let from = 0;
    while (from < lines.length && this.#noiseLeft > 0) {
      const line = lines[from] ?? "";
      if (isShellNoise(line)) {
        this.#noiseLeft--;
        from++;
      } else {
        this.#noiseLeft = 0;
      }
    }
    return lines.slice(from);
  }

  #append(records: Buffer): void {
    try {
      if (this.#size > 0 && this.#size + records.length > this.#segmentBytesMax) this.#rotate();
      writeFileSync(this.#fd, records);
      this.#size += records.length;
    } catch {
      // A full disk: what of these lines was not written is lost, and the next ones are tried again.
      this.#size = fstatSync(this.#fd).size;
    }
  }

  #rotate(): void {
    for (const old of listSegments(this.#folder)) {
      if (old <= this.#segment + 1 - LOG_SEGMENTS_MAX) rmSync(segmentPath(this.#folder, old), { force: true });
    }
    const next = openSync(segmentPath(this.#folder, this.#segment + 1), "a", 0o600);
    closeSync(this.#fd);
    this.#fd = next;
    this.#segment++;
    this.#size = 0;
  }
}
