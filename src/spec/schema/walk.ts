import * as z from "zod";
import type { Path } from "../yaml/node.ts";
import type { FieldMeta } from "./fields.ts";

type Schema = z.core.$ZodTypes;

/** What a schema says about a place: messages ask it for descriptions, examples and the keys that would be right. */
export interface Place {
  meta: Partial<FieldMeta>;
  /** The keys of the mappings that may stand here, by the kind of mapping. */
  mappings: { kind: string; keys: string[] }[];
}

/** Follows a path of the file into a schema, through every alternative. */
export function placeAt(root: z.core.$ZodType, path: Path): Place {
  let schemas = unwrap(root as Schema);
  for (const step of path) schemas = schemas.flatMap((schema) => childrenOf(schema, step)).flatMap(unwrap);
  const metas = schemas.map((schema) => z.globalRegistry.get(schema)).filter((meta) => meta?.description !== undefined);
  const mappings = schemas.flatMap((schema) => {
    if (schema._zod.def.type !== "object") return [];
    return [{ kind: z.globalRegistry.get(schema)?.title ?? "", keys: Object.keys(schema._zod.def.shape) }];
  });
  return { meta: (metas[0] ?? {}) as Partial<FieldMeta>, mappings };
}

/** A schema with what stands beside it. */
export interface SchemaField {
  schema: z.core.$ZodType;
  meta: Partial<FieldMeta> & { default?: unknown };
}

/**
 * One step of a path of the file: what may stand there, given what may stand where the step begins. Each schema is told
 * once: they wrap one another, so that the same ones come up again with each step.
 */
export function fieldsOf(schemas: readonly z.core.$ZodType[], step: string | number): SchemaField[] {
  const here = new Set(schemas.flatMap((schema) => unwrap(schema as Schema)));
  const below = new Set([...here].flatMap((schema) => childrenOf(schema, step)).flatMap(unwrap));
  return [...below].map((schema) => ({ schema, meta: (z.globalRegistry.get(schema) ?? {}) as SchemaField["meta"] }));
}

/** A schema and everything that it wraps, outermost first. */
function unwrap(schema: Schema): Schema[] {
  const def = schema._zod.def;
  switch (def.type) {
    case "union":
      return [schema, ...def.options.flatMap((option) => unwrap(option as Schema))];
    case "pipe":
      return [schema, ...unwrap(def.in as Schema), ...unwrap(def.out as Schema)];
    case "optional":
    case "nullable":
      return [schema, ...unwrap(def.innerType as Schema)];
    default:
      return [schema];
  }
}

function childrenOf(schema: Schema, step: string | number): Schema[] {
  const def = schema._zod.def;
  if (def.type === "object") {
    const child = Object.hasOwn(def.shape, step) ? def.shape[step] : undefined;
    return child === undefined ? [] : [child as Schema];
  }
  if (def.type === "array") return [def.element as Schema];
  return def.type === "record" ? [def.valueType as Schema] : [];
}
