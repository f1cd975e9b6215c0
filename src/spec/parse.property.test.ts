import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { diffSpecs } from "./diff.ts";
import { MAX_ISSUES, MAX_SPEC_CHARS, MAX_TEXT_CHARS } from "./limits.ts";
import { parseConfig } from "./parse.ts";
import type { ParseOptions } from "./types.ts";

/** Generous for a busy machine: a text of the largest size takes about half a second. */
const MAX_PARSE_MS = 10_000;

const fixtures = ["configs", "broken"].flatMap((folder) => {
  const url = new URL(`../../test/fixtures/${folder}/`, import.meta.url);
  return readdirSync(url).map((file) => readFileSync(new URL(file, url), "utf8"));
});

/** Pieces that mean something to YAML or to a grammar of ours. */
const pieces = fc.constantFrom(
  ...[
    "- ",
    "? ",
    ": ",
    ", ",
    "[",
    "]",
    "{",
    "}",
    "|\n",
    ">",
    "'",
    '"',
    "\\",
    "#",
    " #",
    "---\n",
    "...\n",
    "%YAML 1.1\n",
  ],
  ...["&a ", "*a ", "<<: *a", "!!str ", "!x ", "@", "`", "\n", "\n  ", "\t", "\r\n", "\0", "\uFEFF", "\ud800"],
  ...[
    "~",
    "on",
    "010",
    "1:30",
    "1.10",
    "..",
    "1..",
    "$",
    "{{ secrets.X ",
    "}}",
    "__proto__: 1",
    "constructor",
    "toString: x",
  ],
  ...["groups:", "replicas: [{count: 1}]", "env: [A, A=1]", "probes: [{type: http}]"],
);

/** A fixture with a few slices cut, doubled, or replaced by a piece. */
const mutated = fc
  .tuple(
    fc.constantFrom(...fixtures),
    fc.array(
      fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(20), fc.constantFrom("cut", "double", "put"), pieces),
      {
        minLength: 1,
        maxLength: 6,
      },
    ),
  )
  .map(([text, edits]) =>
    edits.reduce((edited, [place, length, kind, piece]) => {
      const at = Math.floor(place * edited.length);
      const slice = edited.slice(at, at + length);
      const middle = kind === "cut" ? "" : kind === "double" ? slice + slice : piece;
      return edited.slice(0, at) + middle + edited.slice(at + length);
    }, text),
  );

/** Whatever the text: an answer in bounded time, and one that holds together. */
function checkAnswer(text: string, options: ParseOptions = {}): void {
  const start = performance.now();
  const config = parseConfig(text, "test.yml", options);
  expect(performance.now() - start).toBeLessThan(MAX_PARSE_MS);
  const lines = text.split("\n");
  if (config.ok) {
    if (config.type === "service") expect(diffSpecs(config.spec, config.spec)).toEqual([]);
    const json = JSON.stringify(config.spec);
    expect(json.length).toBeLessThan(2 * MAX_SPEC_CHARS);
    expect(JSON.parse(json)).toEqual(config.spec);
    return;
  }
  expect(config.issues.length).toBeGreaterThan(0);
  expect(config.issues.length).toBeLessThanOrEqual(MAX_ISSUES);
  for (const { file, line, column, message } of config.issues) {
    expect(line).toBeGreaterThanOrEqual(1);
    if (file === undefined) expect(line).toBeLessThanOrEqual(lines.length);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(message).toMatch(/[.?]$/);
    expect(message.length).toBeLessThan(1500);
  }
}

const soup = fc
  .array(fc.oneof(pieces, fc.string({ unit: "grapheme", maxLength: 5 })), { maxLength: 60 })
  .map((parts) => parts.join(""));

/** What a command line adds, its file of profiles as strange as the rest. */
const options: fc.Arbitrary<ParseOptions> = fc.record(
  {
    profiles: fc.record({
      text: fc.oneof(
        soup,
        mutated,
        soup.map((value) => `profiles:\n  - name: spot\n    max_price: ${value}`),
      ),
      file: fc.constant("profiles.yml"),
      name: fc.constantFrom(null, "spot", ""),
    }),
    args: fc.array(fc.oneof(pieces, fc.string({ maxLength: 5 })), { maxLength: 5 }),
    env: fc.subarray(["A", "HF_TOKEN", "constructor"]),
  },
  { requiredKeys: [] },
);

test("a mutated configuration never makes parseConfig throw, whatever the command line adds", () => {
  fc.assert(fc.property(mutated, options, checkAnswer), { numRuns: 3000 });
});

test("nor does any sequence of YAML's own characters", () => {
  fc.assert(
    fc.property(soup, (text) => checkAnswer(text)),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(soup, (value) =>
      checkAnswer(`type: service\nname: ab\nport: 1\nimage: x\nresources:\n  gpu: ${value}`),
    ),
    { numRuns: 1000 },
  );
});

test("nor does one piece repeated to the largest size", () => {
  const units = [
    "[",
    "{",
    "- ",
    "? ",
    ": a",
    "a: [",
    "&a ",
    "!a ",
    "*a ",
    "'",
    '"\n',
    "#\n",
    "---\n",
    "- *a\n",
    "a,",
    "\t",
    " \n",
    "<<: {}\n",
    "a\n",
    "k: 1\n",
    "\\",
    "|\n",
    "\0",
    "\r\n",
    "\r",
    "\uFEFF",
    "\ud800",
  ];
  for (const unit of units) checkAnswer(unit.repeat(MAX_TEXT_CHARS / unit.length));
});

test("nor does a file in which each of very many would be looked at for each of very many others", () => {
  const list = (count: number, item: (index: number) => string) =>
    `[${Array.from({ length: count }, (_, index) => item(index)).join(", ")}]`;
  const head = "type: service\nname: ab\nport: 1\nimage: x\n";
  const files = [
    `groups: ${list(2200, () => "{}")}\nprobes: ${list(1000, () => "{url: '${{ env.X }}'}")}`,
    `groups: ${list(1500, (index) => `{commands: ['\${{ groups[${(index + 1) % 1500}].replicas[0].IP_ADDRESS }}']}`)}`,
    `env: ${list(3500, (index) => `A${index}`)}\nprobes: ${list(900, () => "{body: '${{ env.X }}'}")}`,
    `rate_limits: ${list(2000, () => "{rps: 1}")}`,
  ];
  for (const file of files) checkAnswer(`${head}${file}\n`);
});

test("nor does little that stands for much: aliases of aliases, long texts many times, arguments for many groups", () => {
  const head = "type: service\nname: ab\nport: 1\nimage: x\n";
  const groups = `groups: [${Array.from({ length: 64 }, () => "{replicas: 1, commands: [x]}").join(", ")}]\n`;
  const long = "x".repeat(100_000);
  const laughs = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(", ")}]`);
  const names = Array.from({ length: 90 }, (_, i) => `B${i}: *a`).join(", ");
  checkAnswer(`a0: &a0 [x]\n${laughs.join("\n")}\n${head}`);
  checkAnswer(`${head}env: {A: &a "${long}", ${names}}\n${groups}`);
  checkAnswer(`${head}env: {A: "${long}"}\n${groups}`);
  checkAnswer(
    `${head}tags: &a {${Array.from({ length: 3000 }, (_, i) => `k${i}: 1`).join(", ")}}\nenv: {<<: [${Array(99).fill("*a").join(", ")}]}\n`,
  );
  // As much as the API takes.
  checkAnswer(`${head}${groups}`, { args: Array(256).fill("$' ".repeat(2_730)) });
  checkAnswer(`${head}${groups.replaceAll("[x]", "['${{ run.args }}']")}`, { args: [long] });
});
