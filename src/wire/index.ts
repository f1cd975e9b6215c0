export * from "./desired.ts";
export * from "./hash.ts";
export * from "./hop-by-hop.ts";
export * from "./inventory.ts";
export * from "./join.ts";
export * from "./link-heads.ts";
export * from "./names.ts";
export * from "./report.ts";
