import manifest from "../../package.json" with { type: "json" };

/** The version of this Headrace. */
export const VERSION: string = manifest.version;
