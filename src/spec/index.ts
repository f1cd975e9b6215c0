export { diffSpecs, type SpecChange, type SpecField } from "./diff.ts";
export { parseConfig } from "./parse.ts";
export { passedVariables } from "./passed-variables.ts";
export { configSchema } from "./schema/kinds.ts";
export type * from "./types.ts";
