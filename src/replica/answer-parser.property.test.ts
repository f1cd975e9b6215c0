import fc from "fast-check";
import { expect, it } from "vitest";
import { AnswerParser, InvalidAnswer } from "./answer-parser.ts";

/** What a reader saw of these pieces, and how it ended. */
function read(pieces: Buffer[]): string {
  const seen: string[] = [];
  let body = "";
  const parser = new AnswerParser(
    {
      head: (head) => void seen.push(JSON.stringify(head)),
      data: (bytes) => {
        body += bytes.toString("latin1");
      },
    },
    false,
  );
  try {
    for (const piece of pieces) parser.feed(piece);
    seen.push(parser.done ? `done, reusable: ${parser.reusable}` : "more to come");
  } catch (error) {
    if (!(error instanceof InvalidAnswer)) throw error;
    return "refused";
  }
  return `${seen.join("\n")}\n${body}`;
}

function cutAt(bytes: Buffer, cuts: number[]): Buffer[] {
  const at = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  return at.slice(1).map((end, i) => Buffer.from(bytes.subarray(at[i], end)));
}

const body = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 5 });
const header = fc.tuple(fc.stringMatching(/^x-[a-z]{1,8}$/), fc.stringMatching(/^[!-~]{0,20}$/));
const answer = fc
  .record({
    status: fc.integer({ min: 200, max: 599 }),
    headers: fc.array(header, { maxLength: 4 }),
    body,
    chunked: fc.boolean(),
  })
  .map(({ status, headers, body, chunked }) => {
    const whole = Buffer.concat(body);
    const framing = chunked ? "transfer-encoding: chunked" : `content-length: ${whole.length}`;
    const head = [`HTTP/1.1 ${status} Word`, ...headers.map(([name, value]) => `${name}: ${value}`), framing, "", ""];
    const parts = body.flatMap((part) => [Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n")]);
    const sent = chunked ? Buffer.concat([...parts, Buffer.from("0\r\n\r\n")]) : whole;
    const hasBody = status !== 204 && status !== 304;
    return {
      bytes: Buffer.concat([Buffer.from(head.join("\r\n")), ...(hasBody ? [sent] : [])]),
      body: hasBody ? whole : Buffer.alloc(0),
    };
  });
const cuts = fc.array(fc.nat(10_000), { maxLength: 12 });

it("an answer is read to its last byte, however it is cut", () => {
  fc.assert(
    fc.property(answer, cuts, ({ bytes, body }, at) => {
      const seen = read(cutAt(bytes, at));
      expect(seen).toBe(read([bytes]));
      expect(seen.endsWith(`\ndone, reusable: true\n${body.toString("latin1")}`)).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});

it("whatever comes is refused or read, and the same however it is cut", () => {
  const damage = fc.array(fc.tuple(fc.nat(10_000), fc.oneof(fc.nat(255), fc.constantFrom(10, 13, 32, 48, 58))), {
    maxLength: 4,
  });
  fc.assert(
    fc.property(answer, damage, cuts, ({ bytes }, changes, at) => {
      const damaged = Buffer.from(bytes);
      for (const [index, value] of changes) damaged[index % damaged.length] = value;
      expect(read(cutAt(damaged, at))).toBe(read([damaged]));
    }),
    { numRuns: 2_000 },
  );
});
