export { diffSpecs } from "./diff.ts";
export { parseConfig } from "./parse.ts";
export { passedVariables } from "./passed-variables.ts";
export type * from "./types.ts";
