import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseRecord, segmentPath } from "./log-format.ts";
import { readLog } from "./log-reader.ts";
import { LogWriter } from "./log-writer.ts";

/** Lines of any text, as a terminal would show them: no line end, return or half of a character within. */
const line = fc.string({ unit: "grapheme", maxLength: 40 }).map((text) => text.replace(/[\r\n]/g, ""));

test("however output is cut into chunks, the same lines are written, and any tail of them is read", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { minLength: 1, maxLength: 40 }),
      fc.constantFrom("\n", "\r\n"),
      fc.array(fc.nat(4000), { maxLength: 30 }),
      fc.nat(45),
      async (lines, lineEnd, cuts, tailLines) => {
        const folder = mkdtempSync(join(tmpdir(), "headrace-log-"));
        const bytes = Buffer.from(lines.map((text) => text + lineEnd).join(""));
        const places = [0, ...cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length];
        const writer = new LogWriter(folder, 3, 0, () => 42);
        for (const [at, place] of places.entries()) writer.write(bytes.subarray(place, places[at + 1]));
        writer.end();
        const written = readFileSync(segmentPath(folder, 1), "utf8").split("\n").slice(0, -1).map(parseRecord);
        expect(written).toEqual(lines.map((text) => ({ atMs: 42, attempt: 3, text })));
        const read: string[] = [];
        for await (const part of readLog(folder, { tailLines, follow: false }, new AbortController().signal)) {
          read.push(...part.map((record) => record.text));
        }
        expect(read).toEqual(tailLines === 0 ? [] : lines.slice(-tailLines));
        rmSync(folder, { recursive: true });
      },
    ),
  );
});
