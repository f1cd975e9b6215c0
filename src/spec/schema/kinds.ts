import type * as z from "zod";
import { fleet } from "./fleet.ts";
import { gateway } from "./gateway.ts";
import { type JsonSchema, jsonSchemaOf } from "./json-schema.ts";
import { profilesFile } from "./profiles-file.ts";
import { service } from "./service.ts";
import { volumeFile } from "./volume-file.ts";

/** What a file can describe, by its `type`. */
const kinds: Record<string, z.core.$ZodType> = { service, fleet, gateway, volume: volumeFile };

/** The roots of everything that is documented. */
export const documentedKinds: z.core.$ZodType[] = [...Object.values(kinds), profilesFile];

/** The JSON Schema of a configuration file. */
export function configSchema(): JsonSchema {
  return jsonSchemaOf(kinds);
}
