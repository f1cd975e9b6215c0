export { diffSpecs, type SpecChange } from "./diff.ts";
export { parseConfig } from "./parse.ts";
export { jsonSchema } from "./schema/json-schema.ts";
export type * from "./types.ts";
