import * as z from "zod";
import { type ReadEnd, readRange } from "../grammar/range.ts";
import type { Result } from "../result.ts";
import { OddScalar } from "../yaml/plain-scalar.ts";

/** What stands beside every field, for messages, documents and JSON Schema. */
export interface FieldMeta {
  /** One line, a sentence without its full stop. */
  description: string;
  /** Values as they may be written; messages show the first. */
  examples: unknown[];
  /** How the field stands to the language that files may have been written for; left out: it means the same. */
  standing?: Standing;
}

/**
 * How a field here stands to dstack's of the same name. The table of fields in the docs is made from these.
 * - `better`, `extended`: `how`, a sentence without its full stop; `extended` also for fields that only exist here.
 * - `later`: understood and kept; acts `when` something is there ("gateways exist"), which a plan says; `until` then
 *   something else holds ("requests are not limited"). `except` are written values that hold already.
 * - `unused`: taken, since files have it, and without meaning; `why`. A plan says so.
 * - `refused`: `why`, and what to write instead; `except` are written values that are taken all the same.
 */
export type Standing =
  | { kind: "same" }
  | { kind: "better"; how: string }
  | { kind: "extended"; how: string }
  | { kind: "later"; when: string; until?: string; except?: readonly unknown[] }
  | { kind: "unused"; why: string }
  | { kind: "refused"; why: string; except?: readonly unknown[] };

/** A field that must be written. */
export function required<S extends z.ZodType>(schema: S, meta: FieldMeta): S {
  return schema.meta({ ...meta });
}

/** A field that may be left out or be null, which both mean `fallback`. */
export function optional<S extends z.ZodType, F extends NonNullable<z.output<S>> | null>(
  schema: S,
  fallback: F,
  meta: FieldMeta,
) {
  return schema
    .nullish()
    .transform((value): NonNullable<z.output<S>> | F => value ?? fallback)
    .meta({ ...meta, default: fallback });
}

/**
 * A field that other files have and that is not taken here, whatever is written into it; null and an empty list are the
 * same as leaving it out.
 * @param why what the message says: why it is not taken, and what to write instead, without the full stop
 */
export function refused(why: string, meta: Omit<FieldMeta, "standing">) {
  return z
    .unknown()
    .optional()
    .transform((value, context): null => {
      // The value is not repeated: it may be anything.
      const saysNothing = value === undefined || value === null || (Array.isArray(value) && value.length === 0);
      if (!saysNothing) {
        context.issues.push({ code: "custom", message: `${why}.`, input: null });
      }
      return null;
    })
    .meta({ ...meta, standing: { kind: "refused", why } satisfies Standing });
}

/** A list that says what is allowed; an empty one would allow nothing, which nobody means. */
export function someOf<S extends z.ZodType>(item: S) {
  return z
    .array(item)
    .min(1, "This list is empty and would allow nothing; write at least one, or leave the field out to allow any.");
}

/**
 * A field that is taken whatever it holds, and means nothing.
 * @param why without the full stop; a plan says it
 */
export function unused(why: string, meta: Omit<FieldMeta, "standing">) {
  return z
    .unknown()
    .optional()
    .transform((): null => null)
    .meta({ ...meta, standing: { kind: "unused", why } satisfies Standing });
}

/**
 * A mapping with these keys and no others. `kind` is its name, by which messages know what could have been meant.
 * An `OddScalar` is an object to zod, but no mapping.
 */
export function mapping<Shape extends z.ZodRawShape>(kind: string, shape: Shape) {
  const object = z.strictObject(shape).meta({ title: kind });
  return z.preprocess((value) => (value instanceof OddScalar ? value.text : value), object);
}

/** What a scalar may be written as, where the schema's own types do not tell. */
export interface Spelling {
  types: ("string" | "number" | "boolean")[];
  /** The grammar that reads it; null when any value of these types will do. */
  read: unknown;
  /** Whether the grammar reads each end of a range (`a..b`) and not the whole. */
  isRange: boolean;
}

/** The spelling of the scalars below, for JSON Schema and the table of fields. */
export const spellings = z.registry<Spelling>();

/** Text. A number in its usual spelling is taken as the text that it is; a boolean is not. */
export const text = spelled(
  z.preprocess(
    (value) => (typeof value === "number" ? String(value) : value),
    z
      .string()
      .refine(
        (value) => !value.includes("\0"),
        "This holds a NUL character, which no program can be given; remove it.",
      ),
  ),
  ["string", "number"],
  null,
);

/** `true` or `false`, and as in YAML 1.1 `yes`, `no`, `on` and `off`, quoted or not. */
export const flag = spelled(
  z.preprocess((value) => readFlag(value) ?? value, z.boolean()),
  ["boolean", "string"],
  readFlag,
);

function spelled<S extends z.ZodType>(schema: S, types: Spelling["types"], read: unknown, isRange = false): S {
  spellings.add(schema, { types, read, isRange });
  return schema;
}

const flagWords = new Map([
  ["yes", true],
  ["on", true],
  ["true", true],
  ["1", true],
  ["no", false],
  ["off", false],
  ["false", false],
  ["0", false],
]);

/** @returns null when it is no boolean */
export function readFlag(value: unknown): boolean | null {
  if (typeof value === "boolean") return value;
  if (value instanceof OddScalar) return value.boolean11;
  return typeof value === "string" ? (flagWords.get(value.toLowerCase()) ?? null) : null;
}

/** Text that a grammar reads. */
export function textOf<T>(read: (written: string) => Result<T>) {
  return spelled(text.transform(by(read)), ["string", "number"], read);
}

/** Text or a number that a grammar reads. */
export function scalarOf<T>(read: (written: string | number) => Result<T>) {
  const scalar = z.preprocess(agreedNumber, z.union([z.string(), z.number()]));
  return spelled(scalar.transform(by(read)), ["string", "number"], read);
}

/** A range in one scalar, each end of which a grammar reads. */
export function rangeScalarOf(readEnd: ReadEnd) {
  const scalar = z.preprocess(agreedNumber, z.union([z.string(), z.number()]));
  const read = (written: string | number) => readRange(written, readEnd);
  return spelled(scalar.transform(by(read)), ["string", "number"], readEnd, true);
}

/** Text, a number or a boolean that a grammar reads. */
export function switchOf<T>(read: (written: string | number | boolean) => Result<T>) {
  const scalar = z.preprocess(
    (value) => (value instanceof OddScalar ? value.boolean11 : null) ?? agreedNumber(value),
    anyScalar,
  );
  return spelled(scalar.transform(by(read)), ["string", "number", "boolean"], read);
}

const anyScalar = z.union([z.string(), z.number(), z.boolean()]);

function agreedNumber(value: unknown): unknown {
  return value instanceof OddScalar ? (value.agreedNumber ?? value) : value;
}

/** A zod transform out of a grammar. */
export function by<W, T>(read: (written: W) => Result<T>) {
  return (written: W, context: z.core.$RefinementCtx): T => {
    const result = read(written);
    if (result.ok) return result.value;
    context.issues.push({ code: "custom", message: result.problem, input: written });
    return z.NEVER;
  };
}
