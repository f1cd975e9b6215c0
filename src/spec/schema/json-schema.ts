import * as z from "zod";
import { type FieldMeta, type Spelling, spellings } from "./fields.ts";
import { patternOf } from "./patterns.ts";

type Schema = z.core.$ZodTypes;

/** The part of JSON Schema (draft 7, which every editor reads) that is written here. */
export interface JsonSchema {
  $schema?: string;
  $ref?: string;
  title?: string;
  description?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  default?: unknown;
  examples?: unknown[];
  pattern?: string;
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  multipleOf?: number;
  items?: JsonSchema | JsonSchema[];
  minItems?: number;
  maxItems?: number;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: JsonSchema | boolean;
  anyOf?: JsonSchema[];
  allOf?: JsonSchema[];
  if?: JsonSchema;
  then?: JsonSchema;
  definitions?: Record<string, JsonSchema>;
  /** For editors: not offered as a completion, and the reason when it is written all the same. */
  doNotSuggest?: boolean;
  errorMessage?: string;
}

const MAPPING_AT = "#/definitions/";

/**
 * JSON Schema of configurations, for editors: what every kind of mapping may hold, and as far as a pattern can tell
 * what each scalar may be. It accepts every file that `parseConfig` accepts, so that an editor never marks what is
 * right; rules across fields are left to `headrace validate`.
 *
 * @param kinds the schema for each `type`
 */
export function jsonSchemaOf(kinds: Record<string, z.core.$ZodType>): JsonSchema {
  const writer = new Writer();
  const cases = Object.entries(kinds).map(([type, schema]) => ({
    if: { properties: { type: { const: type } }, required: ["type"] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: writer.write(schema as Schema),
  }));
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Headrace configuration",
    type: "object",
    properties: { type: { description: "What the file describes", enum: Object.keys(kinds) } },
    required: ["type"],
    allOf: cases,
    definitions: writer.definitions(),
  };
}

/** Writes schemas; each mapping becomes a definition of its own, once. */
class Writer {
  readonly #names = new Map<Schema, string>();
  readonly #definitions = new Map<string, JsonSchema>();

  definitions(): Record<string, JsonSchema> {
    return Object.fromEntries([...this.#definitions].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  write(schema: Schema): JsonSchema {
    const spelling = spellings.get(schema as z.core.$ZodType);
    if (spelling !== undefined) return writeScalar(spelling);
    const def = schema._zod.def;
    switch (def.type) {
      case "pipe":
        // A preprocessing step tells nothing of what it takes: what comes out of it does.
        return this.write(((def.in as Schema)._zod.def.type === "transform" ? def.out : def.in) as Schema);
      case "optional":
      case "nullable":
      case "default":
      case "prefault":
      case "readonly":
      case "catch":
        return def.type === "nullable"
          ? orNull(this.write(def.innerType as Schema))
          : this.write(def.innerType as Schema);
      case "union":
        return anyOf(def.options.map((option) => this.write(option as Schema)));
      case "object":
        return { $ref: `${MAPPING_AT}${this.#mapping(schema)}` };
      case "record":
        return { type: "object", additionalProperties: this.write(def.valueType as Schema) };
      case "array":
        return { type: "array", items: this.write(def.element as Schema), ...lengths(schema) };
      case "tuple":
        return {
          type: "array",
          items: def.items.map((item) => this.write(item as Schema)),
          minItems: def.items.length,
          maxItems: def.items.length,
        };
      case "enum":
        return { enum: Object.values(def.entries) };
      case "literal":
        return def.values.length === 1 ? { const: def.values[0] } : { enum: [...def.values] };
      case "string":
      case "boolean":
      case "null":
        return { type: def.type };
      case "number":
        return { type: "number" };
      default:
        return {};
    }
  }

  /** @returns the definition's name: the kind of mapping, numbered where several differ */
  #mapping(schema: Schema): string {
    const known = this.#names.get(schema);
    if (known !== undefined) return known;
    const def = schema._zod.def;
    if (def.type !== "object") throw new Error("only mappings have definitions");
    const fields = Object.entries(def.shape).map(([key, field]) => [key, this.#field(field as Schema)] as const);
    const required = fields.filter(([, { isOptional }]) => !isOptional).map(([key]) => key);
    const written: JsonSchema = {
      type: "object",
      properties: Object.fromEntries(fields.map(([key, { written }]) => [key, written])),
      ...(required.length > 0 ? { required } : {}),
      additionalProperties: def.catchall !== undefined && def.catchall._zod.def.type !== "never",
    };
    const name = this.#nameFor(z.globalRegistry.get(schema)?.title ?? "mapping", written);
    this.#names.set(schema, name);
    this.#definitions.set(name, written);
    return name;
  }

  #nameFor(kind: string, written: JsonSchema): string {
    const word = kind.replaceAll(" ", "_");
    for (let number = 1; ; number++) {
      const name = number === 1 ? word : `${word}-${number}`;
      const taken = this.#definitions.get(name);
      if (taken === undefined || JSON.stringify(taken) === JSON.stringify(written)) return name;
    }
  }

  #field(schema: Schema): { written: JsonSchema; isOptional: boolean } {
    const meta = metaOf(schema);
    const isOptional = mayBeLeftOut(schema);
    const about: JsonSchema = {};
    if (meta.description !== undefined) about.description = meta.description;
    if (meta.standing?.kind === "unused") return { written: { ...about, doNotSuggest: true }, isOptional };
    if (meta.standing?.kind === "refused" && meta.standing.except === undefined) {
      const { why } = meta.standing;
      const nothing: JsonSchema = { type: ["null", "array"], maxItems: 0 };
      return { written: { ...about, ...nothing, doNotSuggest: true, errorMessage: `${why}.` }, isOptional };
    }
    if (isWritable(meta.default)) about.default = meta.default;
    if (meta.examples !== undefined) about.examples = meta.examples;
    const value = this.write(schema);
    const { standing } = meta;
    // One that still takes a value, such as `dstack: false`.
    if (standing?.kind === "refused") Object.assign(about, { doNotSuggest: true, errorMessage: `${standing.why}.` });
    return { written: { ...about, ...(value.$ref === undefined ? value : { allOf: [value] }) }, isOptional };
  }
}

/** Whether a mapping may lack the field: preprocessing hides this from the schema's own types. */
export function mayBeLeftOut(schema: z.core.$ZodType): boolean {
  return z.safeParse(schema, undefined).success;
}

/** What stands beside a field, wherever in its wrappings. */
export function metaOf(schema: z.core.$ZodType): Partial<FieldMeta> & { default?: unknown } {
  const meta = z.globalRegistry.get(schema);
  if (meta?.description !== undefined) return meta as Partial<FieldMeta>;
  const def = (schema as Schema)._zod.def;
  if (def.type === "pipe") return metaOf(def.in);
  return "innerType" in def ? metaOf(def.innerType) : {};
}

/** Whether a default looks the same in a file as in the spec; those that do not are told by the descriptions. */
function isWritable(value: unknown): boolean {
  return typeof value === "boolean" || typeof value === "number" || (Array.isArray(value) && value.length === 0);
}

function writeScalar({ types, read, isRange }: Spelling): JsonSchema {
  const pattern = patternOf(read, isRange);
  if (pattern === null) return { type: types };
  const text = { type: "string", pattern: `^(?:${pattern.text})$` };
  const others = types.filter((type) => type !== "string");
  if (others.length === 0) return text;
  return anyOf([...others.map((type) => (type === "number" ? { type, ...pattern.number } : { type })), text]);
}

/** Alternatives, without those that say the same. */
function anyOf(options: JsonSchema[]): JsonSchema {
  const flat = options.flatMap((option) => (option.anyOf !== undefined ? option.anyOf : [option]));
  const distinct = flat.filter(
    (option, index) => flat.findIndex((other) => JSON.stringify(other) === JSON.stringify(option)) === index,
  );
  return distinct.length === 1 ? distinct[0]! : { anyOf: distinct };
}

/** Null is the same as leaving a field out. */
function orNull(schema: JsonSchema): JsonSchema {
  if (Object.keys(schema).length === 0) return schema;
  if (Object.keys(schema).join() === "type") return { type: [schema.type!, "null"].flat() };
  return anyOf([schema, { type: "null" }]);
}

/** How many items a list may have, where a check bounds it. */
function lengths(schema: Schema): JsonSchema {
  const { minimum, maximum } = schema._zod.bag as { minimum?: number; maximum?: number };
  return {
    ...(minimum === undefined ? {} : { minItems: minimum }),
    ...(maximum === undefined ? {} : { maxItems: maximum }),
  };
}
