export { joinCommands } from "./join-commands.ts";
export { engineAdapter, routerAdapter } from "./known.ts";
export { resolveGroup } from "./resolve.ts";
export type * from "./types.ts";
