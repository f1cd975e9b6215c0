import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as z from "zod";
import { MESSAGES } from "../support/wire-messages.ts";

// What a release says on the wire, and how it reads it, is recorded when it is made: one folder for each, of which the
// last is the one that this code has to get on with. `RECORD_WIRE=0.2.0 npx vitest run test/unit/wire.test.ts` records
// the present one.

const RECORDED = join(import.meta.dirname, "../fixtures/wire");

interface Recorded {
  /** JSON Schema of what the release accepts. */
  schema: z.core.JSONSchema.JSONSchema;
  samples: object[];
}

const { RECORD_WIRE } = process.env;
if (RECORD_WIRE !== undefined) record(RECORD_WIRE);

function record(release: string): void {
  const folder = join(RECORDED, release);
  mkdirSync(folder, { recursive: true });
  for (const [name, { schema, samples }] of Object.entries(MESSAGES)) {
    const text = JSON.stringify({ schema: z.toJSONSchema(schema, { io: "input" }), samples }, null, 2);
    writeFileSync(join(folder, `${name}.json`), `${text}\n`);
  }
}

const recordings = readdirSync(RECORDED).flatMap((release) =>
  readdirSync(join(RECORDED, release)).map((file) => {
    const recorded = JSON.parse(readFileSync(join(RECORDED, release, file), "utf8")) as Recorded;
    return { release, name: file.replace(".json", ""), ...recorded };
  }),
);

const ofNow = (name: string) => MESSAGES[name] ?? { schema: z.never(), samples: [] };

test("the wire of a release is recorded whole", () => {
  const names = Object.keys(MESSAGES).sort();
  const releases = Map.groupBy(recordings, ({ release }) => release);
  expect(releases.size).toBeGreaterThan(0);
  for (const recorded of releases.values()) {
    for (const { name } of recorded) expect(names).toContain(name);
    expect(recorded.every(({ samples }) => samples.length > 0)).toBe(true);
  }
});

test.each(recordings)("what $release wrote as $name is read, with all that it said", ({ name, samples }) => {
  for (const sample of samples) expect(ofNow(name).schema.parse(sample)).toMatchObject(sample);
});

test.each(recordings)("what is written as $name now is accepted by $release", ({ name, schema }) => {
  const accepts = z.fromJSONSchema(schema);
  for (const sample of ofNow(name).samples) {
    expect(accepts.safeParse(JSON.parse(JSON.stringify(sample))).error?.issues ?? []).toEqual([]);
  }
});

test.each(recordings)("a $name without what $release cannot do without is refused by it", ({ name, schema }) => {
  const accepts = z.fromJSONSchema(schema);
  for (const sample of ofNow(name).samples) {
    const needed = schema.required?.[0] ?? "kind";
    const { [needed]: _, ...rest } = sample as Record<string, unknown>;
    expect(accepts.safeParse(rest).success, needed).toBe(false);
  }
});
