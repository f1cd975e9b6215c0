import type * as z from "zod";
import { type JsonSchema, jsonSchemaOf } from "./json-schema.ts";
import { service } from "./service.ts";

/** What a file can describe, by its `type`. */
const kinds: Record<string, z.core.$ZodType> = { service };

/** The JSON Schema of a configuration file. */
export function configSchema(): JsonSchema {
  return jsonSchemaOf(kinds);
}
