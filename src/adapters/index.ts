export { joinCommands } from "./join-commands.ts";
export { engineAdapter, routerAdapter } from "./known.ts";
export { resolveGroup } from "./resolve.ts";
export { ROUTER_KEY } from "./smg-launch.ts";
export type * from "./types.ts";
