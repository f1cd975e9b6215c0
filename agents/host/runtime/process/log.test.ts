import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LOG_LINE_BYTES_MAX } from "../log-text.ts";
import { type LogRecord, parseRecord } from "./log-format.ts";
import { readLog } from "./log-reader.ts";
import { LogWriter } from "./log-writer.ts";

const BYTES_MAX = 2 * 1024 * 1024;

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "headrace-log-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const open = (attempt = 1, now = () => 1000) => new LogWriter(folder, attempt, BYTES_MAX, now);

/** What a log shows of output that came in these chunks. */
function shown(...chunks: (string | Buffer)[]): string[] {
  const writer = open();
  for (const chunk of chunks) writer.write(Buffer.from(chunk as string));
  writer.end();
  return records().map((record) => record.text);
}

function records(): LogRecord[] {
  const files = readdirSync(folder).toSorted();
  const text = files.map((name) => readFileSync(join(folder, name), "utf8")).join("");
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => parseRecord(line))
    .map((record) => record ?? expect.fail("a line is no record"));
}

async function tail(tailLines: number): Promise<string[]> {
  const found: string[] = [];
  for await (const part of readLog(folder, { tailLines, follow: false }, new AbortController().signal)) {
    found.push(...part.map((record) => record.text));
  }
  return found;
}

test("each line carries its time and attempt, and the log goes on over attempts", () => {
  const first = open(1, () => 5);
  first.write(Buffer.from("one\n\ntwo"));
  first.end();
  const second = open(2, () => 9);
  second.write(Buffer.from("three\n"));
  second.end();
  expect(records()).toEqual([
    { atMs: 5, attempt: 1, text: "one" },
    { atMs: 5, attempt: 1, text: "" },
    { atMs: 5, attempt: 1, text: "two" },
    { atMs: 9, attempt: 2, text: "three" },
  ]);
});

test("lines and characters may be cut anywhere between chunks", () => {
  const bytes = Buffer.from("grüße\r\nan alle ✓\n");
  expect(shown(...Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)))).toEqual(["grüße", "an alle ✓"]);
});

test("each state of a progress bar is shown when the next one comes", () => {
  const writer = open();
  writer.write(Buffer.from("\r10%\r20%\r30%"));
  expect(records().map((record) => record.text)).toEqual(["10%", "20%"]);
  writer.write(Buffer.from("\rdone\nnext\n"));
  writer.end();
  expect(records().map((record) => record.text)).toEqual(["10%", "20%", "30%", "done", "next"]);
});

test("a line beyond the bound is cut, and the next one is whole", () => {
  const long = "x".repeat(LOG_LINE_BYTES_MAX);
  for (const excess of ["y", "y".repeat(5 * LOG_LINE_BYTES_MAX)]) {
    const lines = shown(`${long}${excess}\n`, "next\n");
    expect(lines.slice(-2)).toEqual([`${long} [line cut]`, "next"]);
  }
  expect(shown(`${long}\n`).at(-1)).toBe(long);
});

test("what an interactive shell says for want of a terminal is left out, at the start only", () => {
  const noise =
    "bash: cannot set terminal process group (-1): Inappropriate ioctl for device\nbash: no job control in this shell\n";
  expect(shown(noise, "hello\n", noise)).toEqual(["hello", ...noise.trim().split("\n")]);
});

test("the segments together keep to the bound, whatever is written, and end with the last line", () => {
  const writer = open();
  for (const chunk of ["\n".repeat(65_536), "some words in a line\n".repeat(3_000), `${"z".repeat(70_000)}\n`]) {
    for (let round = 0; round < 40; round++) {
      writer.write(Buffer.from(chunk));
      const sizes = readdirSync(folder).map((name) => statSync(join(folder, name)).size);
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(BYTES_MAX);
    }
  }
  writer.write(Buffer.from("the last\n"));
  writer.end();
  expect(records().at(-1)?.text).toBe("the last");
});

test("the tail is the last lines, over as many segments as it takes", async () => {
  const writer = open();
  const lines = Array.from({ length: 60_000 }, (_, at) => `line ${at} ✓`);
  for (let at = 0; at < lines.length; at += 100) writer.write(Buffer.from(`${lines.slice(at, at + 100).join("\n")}\n`));
  writer.end();
  expect(readdirSync(folder).length).toBeGreaterThan(2);
  for (const count of [0, 1, 2, 999, 30_000]) expect(await tail(count)).toEqual(lines.slice(lines.length - count));
  const all = await tail(10_000_000);
  expect(all.length).toBeGreaterThan(30_000);
  expect(all).toEqual(lines.slice(lines.length - all.length));
});

test("a log that is not there, or has nothing in it, has no tail", async () => {
  expect(await tail(10)).toEqual([]);
  open().end();
  expect(await tail(10)).toEqual([]);
  rmSync(folder, { recursive: true });
  expect(await tail(10)).toEqual([]);
});

test("a reader that falls behind the rotation is told so and goes on with what there is", async () => {
  const writer = open();
  writer.write(Buffer.from("first\n"));
  const reader = readLog(folder, { tailLines: 1, follow: true }, new AbortController().signal);
  expect((await reader.next()).value).toMatchObject([{ text: "first" }]);
  for (let round = 0; round < 3_000; round++) writer.write(Buffer.from(`${"w".repeat(1_000)}\n`));
  writer.write(Buffer.from("last\n"));
  const seen: string[] = [];
  while (seen.at(-1) !== "last") {
    const part = await reader.next();
    seen.push(...(part.value ?? []).map((record: LogRecord) => record.text));
  }
  expect(seen.filter((text) => text.startsWith("["))).toEqual(["[lines lost: the log was rotated]"]);
  writer.end();
  await reader.return(undefined);
});
