export { diffSpecs } from "./diff.ts";
export { parseConfig } from "./parse.ts";
export type * from "./types.ts";
