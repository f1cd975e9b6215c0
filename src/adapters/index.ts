export { dialsOf } from "./dials.ts";
export { type ImageSettings, imagesFor, NO_IMAGES } from "./images.ts";
export { joinCommands } from "./join-commands.ts";
export { engineAdapter, routerAdapter } from "./known.ts";
export { resolveGroup } from "./resolve.ts";
export { ROUTER_KEY } from "./smg-launch.ts";
export { splitWords } from "./split-words.ts";
export type * from "./types.ts";
