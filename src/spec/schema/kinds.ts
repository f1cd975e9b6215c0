import type * as z from "zod";
import { fleet } from "./fleet.ts";
import { gateway } from "./gateway.ts";
import { type JsonSchema, jsonSchemaOf } from "./json-schema.ts";
import { service } from "./service.ts";
import { volumeFile } from "./volume-file.ts";

/** What a file can describe, by its `type`. */
const kinds: Record<string, z.core.$ZodType> = { service, fleet, gateway, volume: volumeFile };

/** The JSON Schema of a configuration file. */
export function configSchema(): JsonSchema {
  return jsonSchemaOf(kinds);
}
