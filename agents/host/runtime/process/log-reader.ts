import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type LogRecord, listSegments, parseRecord, segmentPath } from "./log-format.ts";

const BLOCK_BYTES = 64 * 1024;

/** How soon a new line is seen by who follows; a stat call each time. */
const FOLLOW_POLL_MS = 200;

/** A place in the log: a segment and an offset in it. */
interface Position {
  segment: number;
  offset: number;
}

/**
 * Reads a log from `tailLines` before its end. With `follow` it goes on until `signal` aborts or the folder is removed.
 * Yields what one block of the file held, so that a slow reader holds up nothing but itself. When the writer was faster
 * than the reader by more than the log keeps, a record says so.
 */
export async function* readLog(
  folder: string,
  options: { tailLines: number; follow: boolean },
  signal: AbortSignal,
): AsyncGenerator<LogRecord[]> {
  let position = findTail(folder, options.tailLines);
  while (position === null) {
    if (!options.follow || !(await pause(signal))) return;
    position = findTail(folder, Number.POSITIVE_INFINITY);
  }
  for (;;) {
    const next: number | null = yield* readSegment(folder, position, options.follow, signal);
    if (next === null || signal.aborted) return;
    if (next > position.segment + 1)
      yield [{ atMs: Date.now(), attempt: 0, text: "[lines lost: the log was rotated]" }];
    position = { segment: next, offset: 0 };
  }
}

/** Reads one segment to its end. Returns the number of the segment to go on with, or null when reading is over. */
async function* readSegment(
  folder: string,
  from: Position,
  follow: boolean,
  signal: AbortSignal,
): AsyncGenerator<LogRecord[], number | null> {
  const fd = openIfThere(segmentPath(folder, from.segment));
  if (fd === null) return listSegments(folder).find((number) => number > from.segment) ?? null;
  try {
    const block = Buffer.allocUnsafe(BLOCK_BYTES);
    let offset = from.offset;
    let unfinished = "";
    while (!signal.aborted) {
      // Looked up before reading: nothing is added to a segment once a later one exists.
      const segments = listSegments(folder);
      const length = readSync(fd, block, 0, block.length, offset);
      offset += length;
      if (length > 0) {
        const lines = (unfinished + block.toString("latin1", 0, length)).split("\n");
        unfinished = lines.pop() ?? "";
        const records = lines.map(decodeRecord).filter((record) => record !== null);
        if (records.length > 0) yield records;
        continue;
      }
      const next = segments.find((number) => number > from.segment);
      if (next !== undefined) return next;
      if (!follow || segments.length === 0 || !(await pause(signal))) return null;
    }
    return null;
  } finally {
    closeSync(fd);
  }
}

/** Where the last `lines` records begin; null when there is no log yet. */
function findTail(folder: string, lines: number): Position | null {
  const segments = listSegments(folder);
  let left = lines;
  for (const segment of segments.toReversed()) {
    const fd = openIfThere(segmentPath(folder, segment));
    if (fd === null) continue;
    try {
      const found = findTailInFile(fd, left);
      if (found.missing === 0) return { segment, offset: found.offset };
      left = found.missing;
    } finally {
      closeSync(fd);
    }
  }
  const first = segments[0];
  return first === undefined ? null : { segment: first, offset: 0 };
}

/** Goes back through a file, block by block, until `lines` line ends are passed, not counting the last one. */
function findTailInFile(fd: number, lines: number): { offset: number; missing: number } {
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  let left = lines;
  let end = fstatSync(fd).size;
  if (left === 0) return { offset: end, missing: 0 };
  const last = end - 1;
  while (end > 0) {
    const start = Math.max(0, end - BLOCK_BYTES);
    const length = readSync(fd, block, 0, end - start, start);
    for (let at = length - 1; at >= 0; at--) {
      if (block[at] !== 0x0a || start + at === last) continue;
      left--;
      if (left === 0) return { offset: start + at + 1, missing: 0 };
    }
    end = start;
  }
  // The file's first line has no line end before it.
  if (last >= 0) left--;
  return { offset: 0, missing: left };
}

/** Blocks are cut anywhere, also within a character, so bytes travel as latin1 until a line is whole. */
function decodeRecord(line: string): LogRecord | null {
  return parseRecord(Buffer.from(line, "latin1").toString("utf8"));
}

function openIfThere(path: string): number | null {
  try {
    return openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** @returns false when reading was ended meanwhile. */
async function pause(signal: AbortSignal): Promise<boolean> {
  return sleep(FOLLOW_POLL_MS, true, { signal }).catch(() => false);
}
