export { diffSpecs, type SpecChange, type SpecField } from "./diff.ts";
export { whyNotApplied } from "./not-applied.ts";
export { parseConfig } from "./parse.ts";
export { passedVariables } from "./passed-variables.ts";
export { configSchema } from "./schema/kinds.ts";
export type * from "./types.ts";
export type * from "./types-fleet.ts";
export type * from "./types-gateway.ts";
export type * from "./types-volume.ts";
